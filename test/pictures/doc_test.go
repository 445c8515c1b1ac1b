// Package pictures_test gives the program pictures as the world has them: good ones, hostile ones and those of collections for testing,
// and compares it with other engines.
package pictures_test
