package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// children are the processes of a cluster, each with its log.
type children struct {
	logs    string
	started []*child
	ended   chan *child
}

type child struct {
	name    string
	command *exec.Cmd
	input   io.Closer
	over    chan struct{}
}

func newChildren(logs string) *children {
	return &children{logs: logs, ended: make(chan *child, 16)}
}

// start runs this very program as another component.
func (c *children) start(name string, words ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, append([]string{name}, words...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c.startCommand(name, command)
}

// startCommand starts a program that learns from its standard input when this process is gone.
func (c *children) startCommand(name string, command *exec.Cmd) error {
	if err := os.MkdirAll(c.logs, 0o700); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.logs, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s does not start: %w", name, err)
	}
	started := &child{name: name, command: command, input: input, over: make(chan struct{})}
	c.started = append(c.started, started)
	go func() {
		_ = command.Wait()
		close(started.over)
		c.ended <- started
	}()
	return nil
}

// until waits for a condition, and no longer than its components live.
func (c *children) until(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("after %s: not yet that %s; see %s", startLimit, what, c.logs))
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case ended := <-c.ended:
			return c.died(ended)
		case <-time.After(pollEvery):
		}
	}
	return nil
}

// wait lasts until the cluster is to end, or one of its components has ended by itself.
func (c *children) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case ended := <-c.ended:
		return c.died(ended)
	}
}

func (c *children) died(ended *child) error {
	file := filepath.Join(c.logs, ended.name+".log")
	return fmt.Errorf("%s ended: %s\n%s", ended.name, ended.command.ProcessState, lastLines(file))
}

// end stops them all at once and kills what does not stop in time; who cleans up after itself (`patient`) is given time to, first.
func (c *children) end(limit time.Duration, patient string) {
	for _, each := range c.started {
		if each.name == patient {
			each.stop(endLimit)
		}
	}
	var waiting sync.WaitGroup
	for _, each := range c.started {
		waiting.Go(func() { each.stop(limit) })
	}
	waiting.Wait()
}

func (c *child) stop(limit time.Duration) {
	_ = c.input.Close()
	_ = c.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.over:
	case <-time.After(limit):
		_ = c.command.Process.Kill()
		<-c.over
	}
}

// lastLines gives the end of a log, for who reads why a component ended.
func lastLines(file string) string {
	const most = 4 << 10
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(text)
}
