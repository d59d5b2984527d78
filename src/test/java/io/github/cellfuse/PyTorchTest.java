package io.github.cellfuse;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.FloatBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every device against {@code torch.nn.LSTM} itself. */
class PyTorchTest {
    /**
     * PyTorch computes in float32 as well, in another order and with other activations: both are off by a few 1e-7 (up
     * to 1e-6 where the gates saturate and states are large), so twice that with room to spare. A wrong gate or step is
     * off by 1e-2 and more.
     */
    private static final double TOLERANCE = 1e-5;

    static Stream<Arguments> casesAndDevices() {
        return TestEngines.all().stream()
                .flatMap(device -> PyTorchCase.all().stream().map(c -> Arguments.of(device, c)));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("casesAndDevices")
    void agreesWithPyTorch(Device device, PyTorchCase c) {
        try (LstmEngine engine = LstmEngine.open(device, c.model());
                LstmSession session = engine.newSession()) {
            LstmOutput output = session.run(c.input());
            assertClose("y", c.y(), output.y());
            assertClose(
                    "h_n",
                    c.finalState().h(),
                    FloatBuffer.wrap(output.finalState().h()));
            assertClose(
                    "c_n",
                    c.finalState().c(),
                    FloatBuffer.wrap(output.finalState().c()));
        }
    }

    private static void assertClose(String what, float[] expected, FloatBuffer found) {
        assertEquals(expected.length, found.limit(), what);
        for (int k = 0; k < expected.length; k++) {
            // Cell states grow beyond 1; float32 is only relatively exact there.
            double tolerance = TOLERANCE * Math.max(1, Math.abs(expected[k]));
            assertEquals(expected[k], found.get(k), tolerance, what + "[" + k + "]");
        }
    }
}
