/**
 * The judge of errors: the equations as textbooks print them, in double precision, one row and one step at a time. Slow and
 * obvious on purpose; {@link io.github.cellfuse.reference.LstmCell} holds all of the mathematics.
 */
package io.github.cellfuse.reference;
