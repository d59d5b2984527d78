package io.github.cellfuse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.Plan;
import io.github.cellfuse.TestEngines;
import io.github.cellfuse.WeightPrecision;
import io.github.cellfuse.cl.OpenCl;
import io.github.cellfuse.opencl.engine.KernelProfile.Launch;
import io.github.cellfuse.opencl.program.KernelSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No timing is asserted: what is measured, that it is all there, and that nothing is left open. */
class BenchmarkTest {
    private static final Dimensions SMALL = Dimensions.of(3, 5, 4, 9);

    @Test
    void everyKindOfCaseIsMeasuredAndNothingIsLeftOpen() {
        long before = OpenCl.liveObjects();
        Device opencl = TestEngines.exact().get(1);
        List<Long> progress = new ArrayList<>();
        List<BenchCase> cases = List.of(
                new BenchCase.Run("shape", SMALL, BenchCase.Plans.ALL, null, true),
                new BenchCase.Run(
                        "lstm",
                        Dimensions.of(3, 2, 4, 9).withLayers(2).withDirections(2),
                        BenchCase.Plans.CHOSEN,
                        "N",
                        false),
                new BenchCase.Run(
                        "speech",
                        Dimensions.of(3, 2, 4, 9).withLayers(3).withAlternatingDirections(),
                        BenchCase.Plans.CHOSEN,
                        null,
                        false),
                new BenchCase.Kernels("lstm", SMALL.withProjection(6)),
                new BenchCase.Recurrent("deepbench", Dimensions.of(3, 5, 1, 9)),
                new BenchCase.Cell("cell", 7, 37),
                new BenchCase.Activations("cell", 1 << 12));
        BenchReport report = Benchmark.run(opencl, cases, new Rounds(2), progress::add);
        assertEquals(before, OpenCl.liveObjects());
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L), progress);
        assertTrue(report.skipped().isEmpty());

        assertEquals(opencl, report.device().info().device());
        assertTrue(report.device().limits().flopsPerSecond() > 0);
        assertTrue(report.device().limits().bytesPerSecond() > 0);
        assertTrue(report.device().launchSeconds() > 0);
        assertTrue(report.device().toDevice() > 0 && report.device().toHost() > 0);

        assertEquals(Plan.values().length + 1, of(report, "shape").size());
        assertEquals("java", of(report, "shape").get(Plan.values().length).plan());
        Set<String> kernels =
                of(report, "lstm").stream().map(BenchResult::kernel).collect(Collectors.toSet());
        assertEquals(
                Set.of(
                        "run",
                        "lstm_step",
                        "lstm_cell",
                        "lstm_input_projection",
                        "lstm_hidden_projection",
                        "lstm_sequence"),
                kernels);
        assertEquals("hoisted", of(report, "deepbench").get(0).plan());
        assertEquals(
                List.of("lstm_cell", "lstm_activations"),
                of(report, "cell").stream().map(BenchResult::kernel).toList());
        for (BenchResult result : report.results()) {
            assertTrue(
                    result.seconds() > 0
                            && result.timing().ofRoofline() > 0
                            && result.timing().rounds() == 2
                            && result.timing().lowerQuartile() <= result.seconds()
                            && result.seconds() <= result.timing().upperQuartile(),
                    result.toString());
            // Every clock that there is: java has the host's, a kernel within a run the device's.
            boolean isJava = "java".equals(result.plan());
            boolean isWithinRun = !result.kernel().equals(BenchResult.RUN) && result.plan() != null;
            assertEquals(isJava, Double.isNaN(result.timing().deviceSeconds()), result.toString());
            assertEquals(isWithinRun, Double.isNaN(result.timing().wallSeconds()), result.toString());
        }
    }

    private static List<BenchResult> of(BenchReport report, String suite) {
        return report.results().stream().filter(r -> r.suite().equals(suite)).toList();
    }

    /** What java holds as floats counts as floats, whatever it was rounded to. */
    @Test
    void weightsOfSixteenBitsAreMeasuredAndCounted() {
        List<BenchCase> cases = List.<BenchCase>of(
                        new BenchCase.Run("shape", SMALL, BenchCase.Plans.ALL, null, true),
                        new BenchCase.Kernels("lstm", SMALL.withProjection(6)),
                        new BenchCase.Recurrent("deepbench", Dimensions.of(3, 5, 1, 9)))
                .stream()
                .map(each -> each.withWeights(WeightPrecision.F16))
                .toList();
        BenchReport report = Benchmark.run(TestEngines.exact().get(1), cases, new Rounds(1), done -> {});
        double small = Work.run(SMALL.withWeights(WeightPrecision.F16)).bytes();
        for (BenchResult result : report.results()) {
            assertEquals(WeightPrecision.F16, result.dimensions().weights(), result::toString);
            if (result.suite().equals("shape")) {
                assertEquals(
                        result.plan().equals("java") ? Work.run(SMALL).bytes() : small,
                        result.work().bytes(),
                        result::toString);
            }
        }
        assertEquals(
                Work.recurrent(Dimensions.of(3, 5, 1, 9)).bytes() - 2 * 4 * 81,
                of(report, "deepbench").get(0).work().bytes());
    }

    @Test
    void javaHasRunsAndNoRoofline() {
        List<BenchCase> cases = List.of(
                new BenchCase.Run("quick", SMALL, BenchCase.Plans.ALL, null, false),
                new BenchCase.Cell("quick", 0, 64));
        BenchReport report = Benchmark.run(Device.JAVA, cases, new Rounds(1), done -> {});
        assertEquals(1, report.results().size());
        assertTrue(Double.isNaN(report.results().get(0).timing().ofRoofline()));
        assertTrue(Double.isNaN(report.device().limits().flopsPerSecond()));
        assertEquals("quick", report.skipped().get(0).suite());
    }

    @Test
    void theRecurrentPartHasTheGapsBetweenStepsButNotTheProjections() {
        for (String staged : List.of("", "_tiled", "_narrow")) {
            String product = "lstm_input_projection" + staged.replace("narrow", "tiled");
            List<Launch> launches = List.of(
                    launch("lstm_load_state", 0, 5),
                    launch(product, 5, 100),
                    launch("lstm_step" + staged, 110, 120),
                    launch("lstm_step" + staged, 125, 130),
                    launch(product, 140, 200),
                    launch("lstm_step" + staged, 210, 225),
                    launch("lstm_store_state", 230, 240));
            assertEquals((20 + 15) * 1e-9, KernelMeasurement.recurrentSeconds(launches), 1e-15);
        }
    }

    /** Tiles in local memory, of any kind, are another way to do the same work. */
    @Test
    void everyKernelOfAStepOrASequenceHasItsWork() {
        Dimensions d = Dimensions.of(3, 5, 1, 9);
        for (KernelSource source : KernelSource.values()) {
            String kernel = source.title();
            Work expected = kernel.startsWith("lstm_step")
                    ? Work.step(d, Plan.FUSED)
                    : kernel.startsWith("lstm_sequence")
                            ? Work.hoistedSequence(d)
                            : kernel.startsWith("lstm_input_projection") ? Work.inputProjection(d) : null;
            if (expected != null) {
                assertEquals(expected, KernelMeasurement.work(kernel, Plan.FUSED, true, d), kernel);
            }
        }
    }

    private static Launch launch(String kernel, long started, long ended) {
        return new Launch(kernel, started, ended);
    }

    @Test
    void roundsEndWithTheirTime() {
        long now = System.nanoTime(), longAgo = now - 60_000_000_000L;
        assertTrue(new Rounds(7).more(6, now));
        assertFalse(new Rounds(7).more(7, now));
        assertTrue(new Rounds(7).more(2, longAgo));
        assertFalse(new Rounds(7).more(3, longAgo));
        assertFalse(new Rounds(1).more(1, now));
        assertEquals(2.5, Rounds.median(4, 1, 3, 2));
        // numpy.percentile([5, 1, 2, 9], [25, 50, 75])
        assertEquals(1.75, Rounds.quartile(1, 5, 1, 2, 9));
        assertEquals(3.5, Rounds.quartile(2, 5, 1, 2, 9));
        assertEquals(6, Rounds.quartile(3, 5, 1, 2, 9));
        assertEquals(7, Rounds.quartile(3, 7));
    }

    @Test
    void operationsAreThoseOfTheProducts() {
        assertEquals(8.0 * 512 * 1024 * 256 * 64, Shape.parse("64,256,512,512").flops());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "64", "64,256,512", "64,256,512,0", "-1,2,3,4", "64,256,512,512,1", "a,b,c,d"})
    void otherShapesAreRefused(String text) {
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> Shape.parse(text));
        assertTrue(e.getMessage().startsWith("shape: expected "), e.getMessage());
    }
}
