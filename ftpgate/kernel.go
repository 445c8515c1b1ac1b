package ftpgate

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// States of a TCP connection, as the kernel numbers them.
const (
	tcpEstablished = 1
	tcpCloseWait   = 8 // the other side said that it will send no more
)

// lineState is what the kernel knows of a connection.
type lineState struct {
	state   uint8 // of TCP
	unheard bool  // the other side has not acknowledged all that we wrote
}

// open: neither side has ended it.
func (l lineState) open() bool { return l.state == tcpEstablished }

// dead: it was reset, or timed out.
func (l lineState) dead() bool { return l.state != tcpEstablished && l.state != tcpCloseWait }

// askKernel tells the state of a connection just now.
func askKernel(conn *net.TCPConn) (lineState, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return lineState{}, fmt.Errorf("state of the connection: %w", err)
	}
	var l lineState
	var inner error
	err = raw.Control(func(fd uintptr) {
		var info *unix.TCPInfo
		if info, inner = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); inner != nil {
			return
		}
		l.state, l.unheard = info.State, info.Unacked > 0
		if !l.unheard { // all that is on its way; what is not may still wait
			var left int
			left, inner = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
			l.unheard = left > 0
		}
	})
	if err == nil {
		err = inner
	}
	if err != nil {
		return lineState{}, fmt.Errorf("state of the connection: %w", err)
	}
	return l, nil
}

// prepareControl makes urgent data part of the stream, where the out-of-band abort of old clients is found, and bounds the time
// in which bytes must be acknowledged.
func prepareControl(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("prepare the connection: %w", err)
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		inner = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
		if inner == nil {
			inner = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheardTimeout.Milliseconds()))
		}
	})
	if err == nil {
		err = inner
	}
	if err != nil {
		return fmt.Errorf("prepare the connection: %w", err)
	}
	return nil
}
