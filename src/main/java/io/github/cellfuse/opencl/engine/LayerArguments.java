package io.github.cellfuse.opencl.engine;

import static io.github.cellfuse.opencl.engine.DeviceTensor.ACTIVE;
import static io.github.cellfuse.opencl.engine.DeviceTensor.ARRIVALS;
import static io.github.cellfuse.opencl.engine.DeviceTensor.CELL_STATES;
import static io.github.cellfuse.opencl.engine.DeviceTensor.LENGTHS;
import static io.github.cellfuse.opencl.engine.DeviceTensor.ORDER;
import static io.github.cellfuse.opencl.engine.DeviceTensor.PREACTIVATIONS;
import static io.github.cellfuse.opencl.engine.DeviceTensor.UNPROJECTED;

import io.github.cellfuse.opencl.program.KernelArguments.Builder;

/**
 * The values of the arguments of a layer's kernels, by the names in the kernels' signatures. Groups of arguments that
 * several kernels have in common are methods of their own.
 */
record LayerArguments(DeviceLayer layer) {
    /** Seconds that a cooperative launch may always take: waking all threads takes a part of it. */
    private static final double FIRST_STEP = 1e-3;

    /** Seconds for each step where the time doesn't matter: no work-item waits forever. */
    private static final double LONGEST_STEP = 1;

    /** {@code lstm_step}, {@code lstm_step_tiled} and {@code lstm_step_narrow}. */
    Builder<DeviceBatch> step() {
        return cells(product(steps(new Builder<>())))
                .buffer("y", batch -> batch.buffer(history()))
                .constant("y_stride", layer.outputStride());
    }

    /**
     * {@code lstm_sequence}.
     *
     * @param clock units of {@code clock.cl} in a second; 0 if no work-item waits for another
     */
    Builder<DeviceBatch> sequence(double clock) {
        // Without a projection the kernel doesn't read s, but the argument has to be a buffer.
        Builder<DeviceBatch> arguments = step().constant(
                        "s", layer.isProjected() ? layer.weights.projection() : layer.weights.bias())
                .buffer("history", batch -> batch.buffer(history()))
                .constant("projected", layer.isProjected() ? 1 : 0)
                .integer("row_groups", batch -> batch.run().rowGroups())
                .integer("unit_groups", batch -> batch.run().choice().groups().units())
                .perLaunch("first_direction");
        return patience(arguments, clock, layer.directions);
    }

    /**
     * {@code lstm_sequence_persistent}.
     *
     * @param clock units of {@code clock.cl} in a second
     */
    Builder<DeviceBatch> persistentSequence(double clock) {
        return patience(step(), clock, 1);
    }

    /** Adds where work-items that wait for each other arrive, and how long they wait. */
    private static Builder<DeviceBatch> patience(Builder<DeviceBatch> arguments, double clock, int launches) {
        return arguments
                .buffer("arrivals", batch -> batch.buffer(ARRIVALS))
                .constant("patience", (int) (FIRST_STEP * clock))
                .integer("step_patience", batch -> {
                    double seconds = batch.patience() / batch.run().longest() / launches;
                    return (int) (256 * clock * Math.min(seconds, LONGEST_STEP));
                });
    }

    /** {@code lstm_sequence_tiled}. */
    Builder<DeviceBatch> stagedSequence() {
        return step().constant("recurrent", layer.weights.recurrent());
    }

    /** {@code lstm_sequence_registers}. */
    Builder<DeviceBatch> sequenceInRegisters() {
        return step().constant("by_column", layer.weights.byColumn());
    }

    /** {@code lstm_cell}. */
    Builder<DeviceBatch> cell() {
        Builder<DeviceBatch> arguments =
                cells(steps(new Builder<>())).buffer("a", batch -> batch.buffer(PREACTIVATIONS));
        return layer.shape.hasPeepholes() ? arguments.constant("bias", layer.weights.bias()) : arguments;
    }

    /** {@code lstm_input_projection} and {@code lstm_input_projection_tiled}. */
    Builder<DeviceBatch> inputProjection() {
        return product(steps(new Builder<>()))
                .integer("blocks", batch -> batch.run().blocks(layer.shape));
    }

    /** {@code lstm_hidden_projection}. */
    Builder<DeviceBatch> hiddenProjection() {
        return slots(new Builder<DeviceBatch>())
                .buffer("m", batch -> batch.buffer(UNPROJECTED))
                .constant("m_stride", layer.directions * layer.units)
                .constant("s", layer.weights.projection())
                .constant("units", layer.units)
                .constant("outputs", layer.outputs)
                .buffer("h", batch -> batch.buffer(history()))
                .integer("h_slot_rows", batch -> batch.run().rowPitch())
                .constant("h_stride", layer.outputStride());
    }

    /** {@code lstm_load_state}. */
    Builder<DeviceBatch> loadState() {
        return states().buffer("state", DeviceBatch::before)
                .integer("given", batch -> batch.run().initialStateGiven() ? 1 : 0)
                .constant("first_place", layer.index == 0 ? 0 : RunSizes.LINE);
    }

    /** {@code lstm_store_state}. */
    Builder<DeviceBatch> storeState() {
        return states().buffer("state", DeviceBatch::after);
    }

    private Builder<DeviceBatch> states() {
        return new Builder<DeviceBatch>()
                .buffer("y", batch -> batch.buffer(history()))
                .buffer("c", batch -> batch.buffer(CELL_STATES))
                .buffer("arrivals", batch -> batch.buffer(ARRIVALS))
                .integer("places", batch -> batch.run().arrivalPlaces())
                .buffer("order", batch -> batch.buffer(ORDER))
                .buffer("lengths", batch -> batch.buffer(LENGTHS))
                .integer("row_pitch", batch -> batch.run().rowPitch())
                .constant("y_stride", layer.outputStride())
                .constant("outputs", layer.outputs)
                .constant("units", layer.units)
                .constant("first_reverse", layer.firstReverse)
                .integer("state_rows", batch -> batch.run().stateRows())
                .integer("h_first", batch -> batch.run().firstHidden(layer.index))
                .integer("c_first", batch -> batch.run().firstCell(layer.index));
    }

    /** Adds how steps are divided into slots and rows. */
    private Builder<DeviceBatch> slots(Builder<DeviceBatch> arguments) {
        return arguments
                .buffer("active", batch -> batch.buffer(ACTIVE))
                .constant("first_reverse", layer.firstReverse)
                .integer("longest", batch -> batch.run().longest());
    }

    /** Adds the input's product: of a step, or of the chunk of steps that {@link Chunks} sets. */
    private Builder<DeviceBatch> product(Builder<DeviceBatch> arguments) {
        // A history begins with slot 0, the caller's input with the first step.
        return arguments
                .buffer("x", batch -> batch.buffer(DeviceTensor.inputOf(layer.index)))
                .constant("x_first", layer.index == 0 ? 1 : 0)
                .constant("x_stride", layer.inputStride())
                .constant("inputs", layer.shape.inputSize())
                .constant("recurrent_inputs", layer.outputs)
                .constant("w", layer.weights.gates())
                .constant("bias", layer.weights.bias())
                .buffer("p", batch -> batch.buffer(PREACTIVATIONS))
                .perLaunch(Chunks.FIRST, Chunks.LAST);
    }

    /** Adds the cell's update. A projected layer writes o⊙tanh(c) to a place that all slots share. */
    private Builder<DeviceBatch> cells(Builder<DeviceBatch> arguments) {
        DeviceTensor hidden = layer.isProjected() ? UNPROJECTED : history();
        if (layer.isTraced) {
            arguments
                    .buffer("trace", batch -> batch.trace().buffer())
                    .integer("trace_slots", batch -> batch.trace().slots());
        }
        return arguments
                .buffer("c", batch -> batch.buffer(CELL_STATES))
                .constant("units", layer.units)
                .buffer("h", batch -> batch.buffer(hidden))
                .integer(
                        "h_slot_rows",
                        batch -> layer.isProjected() ? 0 : batch.run().rowPitch())
                .constant("h_stride", layer.isProjected() ? layer.directions * layer.units : layer.outputStride());
    }

    private Builder<DeviceBatch> steps(Builder<DeviceBatch> arguments) {
        return slots(arguments).integer("row_pitch", batch -> batch.run().rowPitch());
    }

    private DeviceTensor history() {
        return DeviceTensor.history(layer.index);
    }
}
