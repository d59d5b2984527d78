package io.github.cellfuse.opencl;

import io.github.cellfuse.Plan;

/**
 * How a batch will run.
 *
 * @param plan the kernels of a step
 * @param step the tile of the step's kernel
 * @param projection the tile of the input projection, where the step's input is hoisted
 * @param groups who does what under {@link Plan#SEQUENCE}
 * @param reason one sentence
 */
record PlanChoice(Plan plan, Tile step, Tile projection, Groups groups, String reason) {}
