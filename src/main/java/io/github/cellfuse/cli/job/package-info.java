/** What {@code cellfuse run} does around a batch job: journal, resuming, progress and report. */
package io.github.cellfuse.cli.job;
