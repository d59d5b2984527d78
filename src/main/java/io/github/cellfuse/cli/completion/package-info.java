/** {@code cellfuse completion}. */
package io.github.cellfuse.cli.completion;
