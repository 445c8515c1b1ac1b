// Command hotfolderd imports files that people and machines drop into shared folders, each exactly once.
//
//	hotfolderd run                      work until a signal
//	hotfolderd check [FILE|FOLDER...]   are settings and rules right? what would happen to a name?
//	hotfolderd status                   how is the node that runs?
//	hotfolderd put FILE NAME            store a file under a name
//	hotfolderd get NAME                 read it, or a thumbnail of it
//	hotfolderd why PATH                 what happened to a file
//	hotfolderd failed                   what could not be imported
//	hotfolderd retry ID... | --all      try it again
//	hotfolderd rebuild                  make the catalog again from the ledger
//	hotfolderd rules publish [FOLDER]   give all nodes these rules; rules list, rules show
//	hotfolderd cluster                  who are the members, and how are they?
//	hotfolderd drain                    let the node leave the cluster in order
//	hotfolderd cache clear              let all nodes forget what they cached
//	hotfolderd version
//	hotfolderd completion bash|zsh|fish
//
// # Where settings come from
//
// --config FILE, else hotfolderd.yaml in the working directory, else /etc/hotfolderd/hotfolderd.yaml, else the defaults.
// Relative paths in a file are meant from the folder of that file, without a file from the working directory.
//
// # What it promises
//
// Standard output carries the result and nothing else; faults and the log go to standard error. Names of files are never
// written to a terminal as they are when they hold anything that could drive it. Exit codes: 0 done, 1 failed, 2 wrong
// usage, 3 not found, 78 bad settings or rules. status, cluster, drain and cache clear ask the node that runs with the settings,
// by HTTP. All others but run work on the store itself, whether or not a node runs, and may be used while one does.
package main
