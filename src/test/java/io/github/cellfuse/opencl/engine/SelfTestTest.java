package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Bits;
import io.github.cellfuse.CellEquations;
import io.github.cellfuse.CellFuseException;
import io.github.cellfuse.Device;
import io.github.cellfuse.Direction;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.LstmOutput;
import io.github.cellfuse.RandomLstm;
import io.github.cellfuse.Tier;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.cl.TestDevices;
import io.github.cellfuse.opencl.device.DeviceTraits;
import io.github.cellfuse.opencl.device.OpenClDevices;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The opening self-test finds devices that compute otherwise. They are played by kernels with one passage changed. */
class SelfTestTest {
    @TempDir
    private Path folder;

    /**
     * A multiply-add that rounds twice, products in another order, and a row too many, in the kernels that run there.
     */
    static Stream<Arguments> ofThePlan() {
        return DeviceTraits.of(TestDevices.first().capabilities()).isCpu()
                ? Stream.of(
                        Arguments.of(
                                "gate_product.cl", "fma(value, weight[q], a[m][q])", "value * weight[q] + a[m][q]"),
                        Arguments.of("gate_product.cl", "int u = 0; u < 4; u++", "int u = 3; u >= 0; u--"),
                        Arguments.of("lstm_step.cl", "if (m < rows)", "if (m <= rows)"))
                : Stream.of(
                        Arguments.of(
                                "gate_product_tiled.cl",
                                "#define WG_ITEMS",
                                "#define fma(x, w, a) ((x) * (w) + (a))\n#define WG_ITEMS"),
                        Arguments.of("gate_product_tiled.cl", "#if FOR_NVIDIA\n  if", """
                                for (int j = depth; j-- > 0;) {
                                  multiply_add_staged(a, x_line + j * X_PITCH, w_line + j * 4 * W_PITCH);
                                }
                                return;
                                #if FOR_NVIDIA
                                  if"""),
                        Arguments.of("lstm_step_tiled.cl", "if (at < rows)", "if (at <= rows)"),
                        Arguments.of("lstm_sequence_registers.cl", "cells[n] = after.c;", "cells[n] = fabs(after.c);"));
    }

    @ParameterizedTest(name = "{0}: {1} as {2}")
    @CsvSource(delimiter = '|', textBlock = """
            # The last bit of a coefficient.
            activations.cl  | 0x1.555492p-3f                   | 0x1.555494p-3f
            # A multiply-add that rounds twice.
            activations.cl  | fma(n, (floatv)(-0x1.62e430p-1f), z) | (n * (floatv)(-0x1.62e430p-1f) + z)
            lstm_cell.cl    | fma(f, c, i * g)                 | (f * c + i * g)
            # Denormals that become zeros.
            activations.cl  | * (floatv)(0x1p-32f)  | * (floatv)(0x1p-32f) + (floatv)(0x1p-126f) - (floatv)(0x1p-126f)
            """)
    @MethodSource("ofThePlan")
    void aDeviceThatDeviatesIsInTheToleranceTierAndAutoGoesOn(String file, String before, String after)
            throws Exception {
        RandomLstm random = RandomLstm.of(3);
        Device.OpenCl device = OpenClDevices.nameOf(TestDevices.first());
        LstmOutput expected = run(LstmEngine.open(Device.JAVA, random.model()), random);
        long objects = OpenCl.liveObjects();
        LooseKernels.with(folder, file, before, after, () -> {
            String log = log(() -> {
                try (LstmEngine engine = LstmEngine.open(device, random.model())) {
                    assertEquals(Tier.TOLERANCE, engine.tier());
                }
            });
            assertTrue(log.contains("is in the tolerance tier: it failed the opening self-test: "), log);

            log(() -> {
                AutoDevice choice = AutoDevice.open(random.model(), EngineOptions.DEFAULT);
                assertTrue(choice.reason().contains(device + " failed the opening self-test"), choice.reason());
                assertTrue(choice.reason().endsWith("; falling back to java"), choice.reason());
                assertEquals(1, choice.reason().lines().count());
                assertEquals(Tier.EXACT, choice.engine().tier());
                Bits.assertSame("auto", expected, run(choice.engine(), random));
            });
        });
        assertEquals(objects, OpenCl.liveObjects(), "engines that were refused are closed");
    }

    /** The names are looked up when an engine opens, not when the kernel runs. */
    @Test
    void aParameterThatTheHostDoesNotKnowIsRefusedWhenTheEngineOpens() throws Exception {
        RandomLstm random = RandomLstm.of(3);
        Device.OpenCl device = OpenClDevices.nameOf(TestDevices.first());
        long objects = OpenCl.liveObjects();
        LooseKernels.with(folder, "lstm_state.cl", "given", "is_given", () -> {
            CellFuseException e = assertThrows(CellFuseException.class, () -> LstmEngine.open(device, random.model()));
            String message = e.getMessage();
            assertTrue(
                    message.startsWith(
                            "kernel 'lstm_load_state': no parameter 'given', 'is_given' is not bound; bound: "),
                    message);
            assertTrue(
                    message.endsWith("; parameters: state, y, c, arrivals, order, lengths, row_pitch, y_stride, "
                            + "outputs, units, first_reverse, state_rows, h_first, c_first, is_given, "
                            + "first_place, places"),
                    message);
        });
        assertEquals(objects, OpenCl.liveObjects());
    }

    /** A device whose conversion makes zeros of float16's denormals, which only matters where weights are stored so. */
    @Test
    void aDeviceThatFlushesDenormalsOfFloat16IsExactForFloatsAlone() throws Exception {
        String load = "JOIN(vload_half, VEC)(offset, (__global const half*)(p))";
        String wrong = "(fabs(" + load + ") < (floatv)(0x1p-14f) ? (floatv)(0.0f) : " + load + ")";
        RandomLstm random = RandomLstm.of(3);
        Device.OpenCl device = OpenClDevices.nameOf(TestDevices.first());
        LooseKernels.with(folder, "weights.cl", load, wrong, () -> {
            for (WeightPrecision weights : WeightPrecision.values()) {
                EngineOptions options = EngineOptions.DEFAULT.withWeights(weights);
                boolean hit = weights == WeightPrecision.F16;
                String log = log(() -> {
                    try (LstmEngine engine = LstmEngine.open(device, random.model(), options)) {
                        assertEquals(hit ? Tier.TOLERANCE : Tier.EXACT, engine.tier(), weights.toString());
                    }
                });
                assertEquals(
                        hit,
                        log.contains(
                                "it failed the opening self-test: the float16 0001: expected 0x1.0p-24, found 0x0.0p0"),
                        log);
            }
            AutoDevice choice = AutoDevice.open(random.model(), EngineOptions.DEFAULT.withWeights(WeightPrecision.F16));
            assertEquals(Device.JAVA, choice.engine().device());
            choice.engine().close();
        });
    }

    /** A device that gets wrong what only some models have is exact for the others. */
    @ParameterizedTest(name = "{0} as {1}")
    @CsvSource(delimiter = '|', textBlock = """
            # The output gate's peephole sees the old cell state.
            fma(peephole, next.c, ao) | fma(peephole, c, ao)
            a > (floatv)(clip)               | a > (floatv)(clip + 0.25f)
            (floatv)(1.0f) - i               | (floatv)(1.0f) - sigmoid(af)
            """)
    void equationsAreTestedWhereAModelHasThem(String before, String after) throws Exception {
        CellEquations equations = CellEquations.ORDINARY.withClip(1.5f).withCoupled(true);
        Random random = new Random(3);
        LstmModel ordinary = RandomLstm.model(random, Direction.FORWARD, 1, 4, 9, false, true);
        LstmModel other = new LstmModel(
                Direction.FORWARD,
                List.of(List.of(ordinary.weights(0, 0)
                        .withEquations(equations)
                        .withPeepholes(RandomLstm.values(random, 3 * 9, 1)))));
        Device.OpenCl device = OpenClDevices.nameOf(TestDevices.first());
        LooseKernels.with(folder, "lstm_cell.cl", before, after, () -> {
            String log = log(() -> {
                try (LstmEngine exact = LstmEngine.open(device, ordinary);
                        LstmEngine tolerant = LstmEngine.open(device, other)) {
                    assertEquals(Tier.EXACT, exact.tier());
                    assertEquals(Tier.TOLERANCE, tolerant.tier());
                }
            });
            assertTrue(log.contains("is in the tolerance tier: it failed the opening self-test: "), log);
        });
    }

    private static LstmOutput run(LstmEngine engine, RandomLstm random) {
        try (engine;
                var session = engine.newSession()) {
            return session.run(random.input());
        }
    }

    /** What is logged while {@code action} runs. */
    private static String log(Runnable action) {
        PrintStream before = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            action.run();
        } finally {
            System.setErr(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
