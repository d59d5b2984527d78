package io.github.cellfuse.format.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OnnxLstmTest {
    /** PyTorch computes in float32: off by a few 1e-7, where a wrong gate is off by 1e-2. */
    private static final double TOLERANCE = 1e-5;

    private static final int ROUNDS = 60;

    @TempDir
    Path folder;

    static Stream<String> stacks() {
        return Cases.names().stream().filter(name -> name.startsWith("lstm") || name.startsWith("packed"));
    }

    @ParameterizedTest
    @MethodSource("stacks")
    void whatPyTorchExportsGivesWhatPyTorchAnswers(String name) {
        LstmModel model = OnnxLstm.load(Cases.file(name + ".onnx"));
        boolean isBatchFirst = name.contains("batch_first")
                || name.equals("lstm_static")
                || name.equals("lstm_states_bidirectional_layers_2");
        Cases.Array x = Cases.array(name, "x"), y = Cases.array(name, "y");
        Cases.Array h = Cases.array(name, "h_n"), c = Cases.array(name, "c_n");
        double[][][] sequence = Oracle.array(x.values(), x.dimension(0), x.dimension(1), x.dimension(2), isBatchFirst);
        int rows = sequence[0].length;
        int[] lengths = null;
        if (Cases.has(name, "lengths")) {
            float[] given = Cases.array(name, "lengths").values();
            lengths = new int[rows];
            for (int row = 0; row < rows; row++) {
                lengths[row] = (int) given[row];
            }
        }
        int below = 0;
        for (LstmLayer layer : model.layers()) {
            int d = layer.directionCount();
            Oracle oracle =
                    new Oracle(layer, sequence, lengths, states(name, "h0", below, d), states(name, "c0", below, d));
            for (int k = 0; k < d; k++) {
                assertClose(name + " h_n", slice(h, below + k), oracle.lastH[k]);
                assertClose(name + " c_n", slice(c, below + k), oracle.lastC[k]);
            }
            below += d;
            sequence = oracle.y;
        }
        double[][][] expected = Oracle.array(y.values(), y.dimension(0), y.dimension(1), y.dimension(2), isBatchFirst);
        assertEquals(expected.length, sequence.length);
        for (int t = 0; t < expected.length; t++) {
            assertClose(name + " y", expected[t], sequence[t]);
        }
    }

    private static double[][][] states(String name, String array, int first, int count) {
        if (!Cases.has(name, array)) {
            return null;
        }
        Cases.Array all = Cases.array(name, array);
        double[][][] states = new double[count][][];
        for (int k = 0; k < count; k++) {
            states[k] = slice(all, first + k);
        }
        return states;
    }

    private static double[][] slice(Cases.Array array, int k) {
        return Oracle.array(array.values(), array.dimension(0), array.dimension(1), array.dimension(2), false)[k];
    }

    private static void assertClose(String what, double[][] expected, double[][] found) {
        assertEquals(expected.length, found.length, what);
        for (int row = 0; row < expected.length; row++) {
            assertEquals(expected[row].length, found[row].length, what);
            for (int k = 0; k < expected[row].length; k++) {
                assertEquals(expected[row][k], found[row][k], TOLERANCE, what + " [" + row + "][" + k + "]");
            }
        }
    }
}
