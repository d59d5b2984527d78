/** What is in an Apache Arrow file? Columns of sequences are read in place, through the format's own schema. */
package io.github.cellfuse.format.arrow;
