package testserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ZooKeeper is a server of ZooKeeper that stands alone. It keeps its port and its data when it is stopped or killed and started again.
type ZooKeeper struct {
	*Process

	// Address is where clients connect to: host:port.
	Address string
}

// StartZooKeeper starts a server. What config says, in lines of its configuration file, comes on top of what is needed. Its clock ticks
// every 500 ms, so that sessions last from 1 to 10 s.
func StartZooKeeper(t testing.TB, config ...string) *ZooKeeper {
	t.Helper()
	const jars = "/usr/share/java/"
	jar := Installed(t, "libzookeeper-java", jars+"zookeeper.jar")
	java := Installed(t, "default-jre-headless", "java")
	path := strings.Join([]string{jar, jars + "slf4j-log4j12.jar", jars + "log4j-1.2.jar"}, string(os.PathListSeparator))
	prepare := func() []*ZooKeeper { return []*ZooKeeper{newZooKeeper(t, java, path, config)} }
	return startServers(t, "zookeeper", prepare)[0]
}

func newZooKeeper(t testing.TB, java, classes string, config []string) *ZooKeeper {
	t.Helper()
	port := freePorts(t, 1)[0]
	dir := t.TempDir()
	lines := append([]string{
		"tickTime=500",
		"dataDir=" + dir + "/data",
		"clientPort=" + strconv.Itoa(port),
		"clientPortAddress=127.0.0.1",
		"admin.enableServer=false",
		"4lw.commands.whitelist=*",
	}, config...)
	files := map[string]string{
		"zoo.cfg": strings.Join(lines, "\n"),
		"log4j.properties": "log4j.rootLogger=WARN, C\nlog4j.appender.C=org.apache.log4j.ConsoleAppender\n" +
			"log4j.appender.C.layout=org.apache.log4j.PatternLayout\nlog4j.appender.C.layout.ConversionPattern=%d %p %c{1} %m%n\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	z := &ZooKeeper{Address: "127.0.0.1:" + strconv.Itoa(port)}
	z.Process = newProcess(t, "zookeeper", dir, []string{
		java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true", "-Dzookeeper.forceSync=no",
		"-cp", dir + string(os.PathListSeparator) + classes, "org.apache.zookeeper.server.ZooKeeperServerMain", filepath.Join(dir, "zoo.cfg"),
	}, z.serving)
	return z
}

// serving asks the server for its mode, which it knows when it serves; it says before that it is ok.
func (z *ZooKeeper) serving(ctx context.Context) error {
	const limit = 300 * time.Millisecond // while it starts it may keep a question for ever
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", z.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("srvr")); err != nil {
		return err
	}
	text, err := io.ReadAll(conn)
	if !strings.Contains(string(text), "Mode:") {
		return errors.Join(err, fmt.Errorf("it says %q", text))
	}
	return nil
}
