package main

import (
	"crypto/rand"

	"github.com/spf13/cobra"

	"hotfolderd/accounts"
	"hotfolderd/admin/access"
)

func (a *app) userCommand() *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Accounts of the page, the API and the FTP gate"}, &cobra.Command{
		Use: "hash-password", Short: "Print the hash of a password, for password_hash in the users file",
		Long: "Reads the password, one line, from standard input, so that it is in no list of processes and in no shell's history:\n\n" +
			"  hotfolderd user hash-password < password",
		Args: take(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			hash, err := accounts.HashPassword(a.in)
			if err != nil {
				return err
			}
			a.printf("%s\n", hash)
			return nil
		},
	}, &cobra.Command{
		Use: "new-token", Short: "Print a new token, and its hash for token_hash in the file of http.users_file",
		Args: take(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			token := rand.Text() + rand.Text()
			a.printf("token:      %s\ntoken_hash: %s\n", token, access.HashToken(token))
			return nil
		},
	})
}
