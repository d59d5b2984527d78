package io.github.cellfuse.format.keras;

import io.github.cellfuse.Direction;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmWeights;
import io.github.cellfuse.format.file.Problems;
import io.github.cellfuse.spi.Sizes;
import io.jhdf.api.Group;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Builds one LSTM from a stack of layers. Everything except the arrays' values is checked before the first array is
 * read.
 */
final class StackReader {
    private final KerasNetwork network;
    private final String version;
    private final int generation;
    private final List<String> remarks = new ArrayList<>();

    StackReader(KerasNetwork network, String version, int generation) {
        this.network = network;
        this.version = version;
        this.generation = generation;
    }

    /** A layer as it is to be read. */
    private record Plan(
            KerasLayer layer,
            Direction direction,
            List<LstmSettings> settings,
            List<WeightStore.Arrays> arrays,
            long inputs) {}

    KerasModel read(WeightStore store, Optional<List<String>> names) {
        LayerStack stack = LayerStack.of(network, names);
        List<Plan> plans = plan(stack, store);
        List<LstmLayer> layers = new ArrayList<>();
        for (Plan plan : plans) {
            List<LstmWeights> weights = new ArrayList<>();
            for (int d = 0; d < plan.settings().size(); d++) {
                weights.add(weights(store.file(), plan, d));
            }
            layers.add(new LstmLayer(plan.direction(), weights));
        }
        List<String> read = stack.layers().stream().map(KerasLayer::name).toList();
        List<KerasLayer> left = network.others();
        if (names.isEmpty() && !left.isEmpty()) {
            remarks.add(0, "read only " + stack.describe() + " of the model, not " + KerasLayer.describe(left));
        }
        List<String> others = network.layers().values().stream()
                .filter(layer -> !layer.isInput() && !read.contains(layer.name()))
                .map(KerasLayer::describe)
                .toList();
        return new KerasModel(new LstmModel(layers), version, read, others, remarks);
    }

    private List<Plan> plan(LayerStack stack, WeightStore store) {
        List<Plan> plans = new ArrayList<>();
        // Whether Keras passes the steps from layer to layer in reverse order.
        boolean isTurned = false;
        long inputs = 0;
        for (KerasLayer layer : stack.layers()) {
            boolean isTop = layer == stack.layers().get(stack.layers().size() - 1);
            List<LstmSettings> settings = LstmSettings.of(layer, generation);
            LstmSettings first = settings.get(0);
            if (!first.isSequence() && !isTop) {
                throw invalid(layer, "return_sequences: expected true below another LSTM layer, found false");
            }
            if (layer.isBidirectional() && isTurned) {
                throw invalid(
                        layer,
                        "expected no Bidirectional above a layer with go_backwards, whose outputs are"
                                + " reversed in time, found one; "
                                + LayerStack.EXPORT);
            }
            Direction direction = Direction.BIDIRECTIONAL;
            if (!layer.isBidirectional()) {
                isTurned ^= first.isBackwards();
                direction = isTurned ? Direction.REVERSE : Direction.FORWARD;
            }
            if (isTurned && stack.isMasked() && first.isSequence() && !isTop) {
                throw invalid(
                        layer,
                        "expected no mask where go_backwards reverses the steps for the layers above, found"
                                + " one: Keras doesn't"
                                + " reverse it with them; "
                                + LayerStack.EXPORT);
            }
            List<WeightStore.Arrays> arrays = store.arrays(layer, settings);
            if (inputs == 0) {
                inputs = inputs(store.file(), layer, arrays.get(0));
            }
            plans.add(new Plan(layer, direction, settings, arrays, inputs));
            inputs = (long) first.units() * settings.size();
            if (isTop) {
                remark(layer, first, isTurned, stack.isMasked());
            }
        }
        return plans;
    }

    private void remark(KerasLayer top, LstmSettings settings, boolean isTurned, boolean isMasked) {
        if (!settings.isSequence()) {
            remarks.add("layer " + Problems.quote(top.name())
                    + " gives its last output alone in Keras (return_sequences=False): that is its h_n"
                    + (top.isBidirectional() ? ", forward and reverse side by side" : ""));
        } else if (isTurned) {
            remarks.add("y is in the order of the input; Keras gives the outputs of layer " + Problems.quote(top.name())
                    + " reversed in time (go_backwards)");
        }
        if (settings.isTimeMajor()) {
            remarks.add("the model takes time steps before rows (time_major): that is the layout TNC");
        }
        if (isMasked) {
            remarks.add("masked steps are given as lengths; past a row's length y is 0, where Keras may repeat"
                    + " the last output");
        }
    }

    /** Returns the input size of the lowest layer, which only the shape of its kernel reveals. */
    private long inputs(Hdf5File file, KerasLayer layer, WeightStore.Arrays arrays) {
        long[] shape =
                naming(layer, () -> file.shape(arrays.group(), arrays.paths().get(0)));
        if (shape.length != 2 || shape[0] < 1 || shape[0] > Integer.MAX_VALUE) {
            throw invalid(layer, "kernel: expected shape [I, 4H], found " + Problems.shape(shape));
        }
        return shape[0];
    }

    private LstmWeights weights(Hdf5File file, Plan plan, int direction) {
        LstmSettings settings = plan.settings().get(direction);
        Group group = plan.arrays().get(direction).group();
        List<String> paths = plan.arrays().get(direction).paths();
        int inputs = (int) plan.inputs(), hidden = settings.units();
        long columns = (long) LstmWeights.GATES * hidden;
        return naming(plan.layer(), () -> {
            float[] kernel = file.floats(group, paths.get(0), inputs, columns);
            float[] recurrent = file.floats(group, paths.get(1), hidden, columns);
            LstmWeights.Builder weights = LstmWeights.builder(inputs, hidden).equations(settings.equations());
            if (settings.hasBias()
                    && generation == 2
                    && Arrays.equals(file.shape(group, paths.get(2)), twice(columns))) {
                float[] biases = file.floats(group, paths.get(2), twice(columns));
                return weights.input(CudnnLayout.matrix(kernel, hidden))
                        .recurrent(CudnnLayout.matrix(recurrent, hidden))
                        .inputBias(Arrays.copyOf(biases, (int) columns))
                        .recurrentBias(Arrays.copyOfRange(biases, (int) columns, biases.length))
                        .build();
            }
            weights.input(turned(kernel, inputs)).recurrent(turned(recurrent, hidden));
            if (settings.hasBias()) {
                weights.inputBias(file.floats(group, paths.get(2), columns));
            }
            return weights.build();
        });
    }

    private static long[] twice(long columns) {
        return new long[] {2 * columns};
    }

    /** Returns messages that name the layer: the arrays' own names are those of a cell. */
    private static <T> T naming(KerasLayer layer, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (InvalidInputException e) {
            throw new InvalidInputException(e.getMessage() + " (layer " + Problems.quote(layer.name()) + ")", e);
        }
    }

    /** Transposes {@code [rows, columns]} to {@code [columns, rows]}. */
    private static float[] turned(float[] values, int rows) {
        int columns = values.length / rows;
        float[] turned = new float[Sizes.elements("weights", rows, columns)];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                turned[column * rows + row] = values[row * columns + column];
            }
        }
        return turned;
    }

    private InvalidInputException invalid(KerasLayer layer, String what) {
        return Problems.invalid(network.label(), "layer " + Problems.quote(layer.name()) + ": " + what);
    }
}
