/**
 * Chooses the way in which a batch runs. Every plan and tile gives the same bits, so the choice is about speed alone.
 */
package io.github.cellfuse.opencl.plan;
