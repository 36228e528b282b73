// Package mlog stands in for the driver's logging package, whose vanity domain no module proxy serves.
// It has the functions the driver calls, on top of klog, and prints the text format only.
package mlog

import (
	"context"
	"flag"
	"os"
	"strconv"

	"k8s.io/klog/v2"
)

type LogFormat string

const (
	FormatText LogFormat = "text"
	FormatJSON LogFormat = "json"
)

// Setup returns what must run before the process ends.
func Setup() func() { return klog.Flush }

func ValidateAndSetKlogLevelAndFormatGlobally(_ context.Context, level klog.Level, _ LogFormat) error {
	return flag.Set("v", strconv.Itoa(int(level)))
}

func Error(msg string, err error, keysAndValues ...any) {
	klog.ErrorSDepth(1, err, msg, keysAndValues...)
}

func Fatal(err error) {
	klog.ErrorSDepth(1, err, "the driver cannot go on")
	klog.Flush()
	os.Exit(1)
}
