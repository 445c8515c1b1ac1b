package ftpgate

import (
	"fmt"
	"runtime/debug"

	"go.uber.org/zap"
	server "goftp.io/server/v2"
)

// command is one entry of the table that the library's loop dispatches by.
type command struct {
	run   func(s *session, param string)
	open  bool       // also before login
	needs bool       // a parameter
	may   Permission // what the user must be allowed to do
	keeps bool       // leaves what REST, ALLO and RNFR said for a later command
}

// commands is the table. What is not here is answered with 502.
func commands() map[string]command {
	t := map[string]command{
		"USER": {run: (*session).cmdUser, open: true, needs: true},
		"PASS": {run: (*session).cmdPass, open: true},
		"QUIT": {run: (*session).cmdQuit, open: true},
		"AUTH": {run: (*session).cmdAuth, open: true},
		"PBSZ": {run: (*session).cmdPbsz, open: true, needs: true, keeps: true},
		"PROT": {run: (*session).cmdProt, open: true, needs: true, keeps: true},
		"FEAT": {run: (*session).cmdFeat, open: true, keeps: true},
		"OPTS": {run: (*session).cmdOpts, open: true, needs: true, keeps: true},
		"HELP": {run: (*session).cmdHelp, open: true, keeps: true},
		"NOOP": {run: (*session).cmdNoop, open: true, keeps: true},
		"SYST": {run: (*session).cmdSyst, open: true, keeps: true},
		"CLNT": {run: (*session).cmdNoop, open: true, keeps: true},
		"ABOR": {run: (*session).cmdAbor, open: true},

		"TYPE": {run: (*session).cmdType, needs: true, keeps: true},
		"MODE": {run: (*session).cmdMode, needs: true, keeps: true},
		"STRU": {run: (*session).cmdStru, needs: true, keeps: true},
		"STAT": {run: (*session).cmdStat, keeps: true},
		"PASV": {run: (*session).cmdPasv, keeps: true},
		"EPSV": {run: (*session).cmdEpsv, keeps: true},
		"PORT": {run: (*session).cmdPort, needs: true, keeps: true},
		"EPRT": {run: (*session).cmdEprt, needs: true, keeps: true},
		"ALLO": {run: (*session).cmdAllo, needs: true, keeps: true},
		"REST": {run: (*session).cmdRest, needs: true, keeps: true},

		"PWD":  {run: (*session).cmdPwd},
		"CWD":  {run: (*session).cmdCwd, needs: true},
		"CDUP": {run: (*session).cmdCdup},
		"MKD":  {run: (*session).cmdMkd, needs: true, may: MayMkdir},
		"RMD":  {run: (*session).cmdRmd, needs: true, may: MayDelete},

		"STOR": {run: (*session).cmdStor, needs: true, may: MayUpload},
		"APPE": {run: (*session).cmdAppe, needs: true, may: MayUpload},
		"RETR": {run: (*session).cmdRetr, needs: true, may: MayDownload},
		"LIST": {run: (*session).cmdList},
		"NLST": {run: (*session).cmdNlst},
		"MLSD": {run: (*session).cmdMlsd},
		"MLST": {run: (*session).cmdMlst},
		"SIZE": {run: (*session).cmdSize, needs: true, keeps: true},
		"MDTM": {run: (*session).cmdMdtm, needs: true, keeps: true},
		"MFMT": {run: (*session).cmdMfmt, needs: true, may: MayUpload, keeps: true},
		"DELE": {run: (*session).cmdDele, needs: true, may: MayDelete},
		"RNFR": {run: (*session).cmdRnfr, needs: true, may: MayRename},
		"RNTO": {run: (*session).cmdRnto, needs: true, may: MayRename, keeps: true},
	}
	for old, name := range map[string]string{"XPWD": "PWD", "XCWD": "CWD", "XCUP": "CDUP", "XMKD": "MKD", "XRMD": "RMD"} {
		t[old] = t[name]
	}
	return t
}

// entry makes a command one of the library's. The library's own checks are not used: they answer with the wrong codes.
type entry struct {
	verb string
	command
}

var _ server.Command = entry{}

// IsExtend is for the library's FEAT, which is not used.
func (entry) IsExtend() bool { return false }

// RequireParam leaves the check to Execute.
func (entry) RequireParam() bool { return false }

// RequireAuth leaves the check to Execute.
func (entry) RequireAuth() bool { return false }

// Execute runs the command in the session that the library's session belongs to.
func (e entry) Execute(lib *server.Session, param string) {
	p, ok := lib.RemoteAddr().(peer)
	if !ok {
		return // not a connection of ours; there are no others
	}
	p.s.execute(e, param)
}

// execute checks what all commands have in common. A command that breaks is answered, and the session goes on.
func (s *session) execute(e entry, param string) {
	defer func() {
		if broken := recover(); broken != nil {
			s.log.Error("a command broke", zap.String("command", e.verb), zap.String("error", fmt.Sprint(broken)), zap.ByteString("stack", debug.Stack()))
			s.reply(451, "%s failed inside; see the log of the node", e.verb)
		}
	}()
	if !e.open && !s.allowed(e) {
		return
	}
	if e.needs && param == "" {
		s.reply(501, "%s needs a parameter", e.verb)
		return
	}
	e.run(s, param)
	if !e.keeps {
		s.restart, s.declared = 0, 0
	}
	if e.verb != "RNFR" && !e.keeps {
		s.rename = nil
	}
}

// allowed looks at the user as the users file has them now: one that was taken away has no session any more.
func (s *session) allowed(e entry) bool {
	was := s.account()
	if was == nil {
		s.reply(530, "log in first")
		return false
	}
	u, ok := s.g.o.Users.Lookup(was.Name)
	if !ok || !u.from(s.client) {
		s.last = true
		s.reply(421, "you may not be here any more")
		return false
	}
	s.setAccount(u)
	if !u.May(e.may) {
		s.reply(550, "you are not allowed to %s here", e.may.verb())
		return false
	}
	return true
}

// noLog keeps the library silent: it would log passwords' places and one id for all sessions.
type noLog struct{}

func (noLog) Print(string, any)                   {}
func (noLog) Printf(string, string, ...any)       {}
func (noLog) PrintCommand(string, string, string) {}
func (noLog) PrintResponse(string, int, string)   {}
