/**
 * Which way a batch runs: every plan and tile gives the same bits, so the choice is about speed alone.
 */
package io.github.cellfuse.opencl.plan;
