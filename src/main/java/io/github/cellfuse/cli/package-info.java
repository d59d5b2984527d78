/**
 * The command line. It may use every other package; no other package uses it. Each command has a package of its own;
 * this package holds the options and the output that they share.
 *
 * <p>stdout carries only results (tables, JSON, help). Messages about the work go to stderr. An error is one line,
 * {@code cellfuse: error: …}. The exit code is 0 on success, 1 if the run failed, and 2 if the input or the arguments
 * are wrong; in that case nothing was computed or written.
 */
package io.github.cellfuse.cli;
