package io.github.cellfuse.bench;

import static io.github.cellfuse.Direction.FORWARD;
import static io.github.cellfuse.Direction.REVERSE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Device;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmLayer;
import io.github.cellfuse.LstmModel;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SuiteTest {
    @ParameterizedTest
    @EnumSource(Suite.class)
    void noCaseIsThereTwice(Suite suite) {
        List<BenchCase> cases = suite.cases();
        // Two results of the same key could not be told apart in a comparison.
        assertEquals(
                cases.size(),
                new HashSet<>(cases.stream().map(c -> c.suite() + c.describe()).toList()).size());
        assertEquals(suite, Suite.parse(suite.id()));
        assertEquals(suite, Suite.parse(" " + suite.name()));
    }

    @Test
    void allIsAllOfThem() {
        int sum = IntStream.range(0, Suite.ALL.ordinal())
                .map(k -> Suite.values()[k].cases().size())
                .sum();
        assertEquals(sum, Suite.ALL.cases().size());
    }

    @Test
    void growthRunsToTheLargestBatch() {
        assertEquals(
                List.of(1, 4, 16, 64, 256, 1024, 4096, 16384),
                sizes("N").map(Dimensions::n).toList());
        assertEquals(
                List.of(1, 4, 16, 64, 256, 1024), sizes("T").map(Dimensions::t).toList());
        assertEquals(
                List.of(32, 64, 128, 256, 512, 1024, 2048),
                sizes("H").map(Dimensions::h).toList());
    }

    private static java.util.stream.Stream<Dimensions> sizes(String series) {
        return Suite.LSTM.cases().stream()
                .filter(c -> c instanceof BenchCase.Run run && series.equals(run.series()))
                .map(c -> ((BenchCase.Run) c).dimensions());
    }

    @Test
    void deepBenchHasItsPublishedShapes() {
        List<Dimensions> shapes = Suite.DEEPBENCH.cases().stream()
                .map(c -> ((BenchCase.Recurrent) c).dimensions())
                .toList();
        assertEquals(37, shapes.size());
        for (int[] published : new int[][] {
            {512, 16, 25},
            {512, 128, 25},
            {1024, 128, 25},
            {2048, 128, 25},
            {4096, 128, 25},
            {1536, 32, 50},
            {256, 64, 150}
        }) {
            assertTrue(shapes.contains(Dimensions.of(published[2], published[1], 1, published[0])));
        }
    }

    /** Five layers of alternating directions, as basecallers have them, and streams of single steps. */
    @Test
    void speechHasTheShapesOfBasecallersAndStreams() {
        List<Dimensions> shapes = Suite.SPEECH.cases().stream()
                .map(c -> ((BenchCase.Run) c).dimensions())
                .toList();
        Dimensions basecaller = Dimensions.of(64, 1600, 384, 384).withLayers(5).withAlternatingDirections();
        assertTrue(shapes.contains(basecaller));
        assertEquals("64,1600,384,384 L=5 alternating", basecaller.toString());
        LstmModel model = BenchProblem.of(
                        Dimensions.of(1, 1, 4, 4).withLayers(5).withAlternatingDirections())
                .model();
        assertEquals(
                List.of(REVERSE, FORWARD, REVERSE, FORWARD, REVERSE),
                model.layers().stream().map(LstmLayer::direction).toList());
        assertTrue(shapes.stream().anyMatch(d -> d.t() == 1 && d.n() > 1));
        assertTrue(shapes.stream().anyMatch(d -> d.directions() == 2));
    }

    @Test
    void whatTakesTooLongIsSkippedWithItsReason() {
        BenchCase large = new BenchCase.Recurrent("deepbench", Dimensions.of(25, 128, 1, 4096));
        Device device = Device.parse("opencl:0.0");
        // 8·4096²·128·25 = 429 GFLOP
        assertNull(Benchmark.reasonToSkip(large, device, 430e9));
        String reason = Benchmark.reasonToSkip(large, device, 43e9);
        assertTrue(reason.contains("10.0 s") && reason.contains("43 GFLOP/s"), reason);
        assertTrue(Benchmark.reasonToSkip(large, Device.JAVA, 1e15).contains("kernels"));
        BenchCase own = Suite.of(List.of(Shape.parse("64,256,4096,4096"))).get(0);
        assertNull(Benchmark.reasonToSkip(own, Device.JAVA, 1), "the user's own shapes are never skipped");
        assertNotNull(Benchmark.reasonToSkip(Suite.LSTM.cases().get(0), Device.JAVA, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "fast", "quick,cell"})
    void otherNamesAreRefused(String name) {
        InvalidInputException e = assertThrows(InvalidInputException.class, () -> Suite.parse(name));
        assertEquals("suite: expected quick, cell, lstm, deepbench, speech, all, found '" + name + "'", e.getMessage());
    }
}
