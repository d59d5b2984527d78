/**
 * The reference for errors: the textbook equations in double precision, one row and one step at a time. Slow and simple
 * on purpose. {@link io.github.cellfuse.reference.LstmCell} contains all of the mathematics.
 */
package io.github.cellfuse.reference;
