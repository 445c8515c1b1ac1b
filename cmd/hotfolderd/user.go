package main

import (
	"github.com/spf13/cobra"

	"hotfolderd/ftpgate"
)

func (a *app) userCommand() *cobra.Command {
	return group(&cobra.Command{Use: "user", Short: "Accounts of the FTP gate"}, &cobra.Command{
		Use: "hash-password", Short: "Print the hash of a password, for password_hash in the users file",
		Long: "Reads the password, one line, from standard input, so that it is in no list of processes and in no shell's history:\n\n" +
			"  hotfolderd user hash-password < password",
		Args: take(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			hash, err := ftpgate.HashPassword(a.in)
			if err != nil {
				return err
			}
			a.printf("%s\n", hash)
			return nil
		},
	})
}
