/** {@code cellfuse demo}: a small language model that shows what a memory cell is for. */
package io.github.cellfuse.cli.demo;
