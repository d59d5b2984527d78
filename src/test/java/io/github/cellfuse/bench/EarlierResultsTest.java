package io.github.cellfuse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.WeightPrecision;
import java.util.List;
import org.junit.jupiter.api.Test;

class EarlierResultsTest {
    private static final Dimensions D = Dimensions.of(2, 3, 4, 5), OTHER = Dimensions.of(2, 3, 4, 6);

    @Test
    void theSameThingIsMatched() {
        BenchResult now = result("lstm", "run", "fused", D, 1);
        EarlierResults c = EarlierResults.of(List.of(now), List.of(old("lstm", "run", "fused", D, 3)));
        assertEquals(3, c.pairs().get(0).speedup());
        assertFalse(c.pairs().get(0).planChanged());
        assertTrue(c.onlyNew().isEmpty() && c.onlyOld().isEmpty());
    }

    @Test
    void suiteKernelAndSizesMustBeTheSame() {
        BenchResult now = result("lstm", "run", "fused", D, 1);
        List<EarlierResults.Old> others = List.of(
                old("quick", "run", "fused", D, 1),
                old("lstm", "lstm_step", "fused", D, 1),
                old("lstm", "run", "fused", OTHER, 1),
                old("lstm", "run", "fused", D.withWeights(WeightPrecision.F16), 1));
        EarlierResults c = EarlierResults.of(List.of(now), others);
        assertTrue(c.pairs().isEmpty());
        assertEquals(List.of(now), c.onlyNew());
        assertEquals(others, c.onlyOld());
    }

    @Test
    void anotherPlanIsMatchedOnlyWhereThereIsNoDoubt() {
        BenchResult now = result("lstm", "run", "hoisted", D, 1);
        EarlierResults chosen = EarlierResults.of(List.of(now), List.of(old("lstm", "run", "fused", D, 2)));
        assertEquals(2, chosen.pairs().get(0).speedup());
        assertTrue(chosen.pairs().get(0).planChanged());
        // Of two old plans neither is the one.
        EarlierResults two = EarlierResults.of(
                List.of(now), List.of(old("lstm", "run", "fused", D, 2), old("lstm", "run", "separate", D, 2)));
        assertTrue(two.pairs().isEmpty());
        // The old plan is still there under its own name.
        EarlierResults taken = EarlierResults.of(
                List.of(now, result("lstm", "run", "fused", D, 1)), List.of(old("lstm", "run", "fused", D, 2)));
        assertEquals(List.of(now), taken.onlyNew());
    }

    @Test
    void kernelsThatStandAloneHaveNoPlan() {
        EarlierResults c = EarlierResults.of(
                List.of(result("cell", "lstm_cell", null, D, 1)), List.of(old("cell", "lstm_cell", null, D, 0.5)));
        assertEquals(0.5, c.pairs().get(0).speedup());
    }

    @Test
    void aDisturbedResultJudgesNothing() {
        BenchResult quiet = result("lstm", "run", "fused", D, 1);
        assertFalse(new EarlierResults.Pair(quiet, old("lstm", "run", "fused", D, 3)).isDisturbed());
        EarlierResults.Old busy = new EarlierResults.Old("lstm", "run", "fused", D, 3, true);
        assertTrue(new EarlierResults.Pair(quiet, busy).isDisturbed());
        Timing timing = new Timing(1, 1, 1, 1, 1.5, 3, List.of("it reached 150 % of its limit"));
        BenchResult now = new BenchResult("lstm", "run", "fused", null, D, new Work(1, 1), timing);
        assertTrue(new EarlierResults.Pair(now, old("lstm", "run", "fused", D, 3)).isDisturbed());
    }

    private static BenchResult result(String suite, String kernel, String plan, Dimensions d, double seconds) {
        return new BenchResult(
                suite,
                kernel,
                plan,
                null,
                d,
                new Work(1, 1),
                new Timing(seconds, seconds, seconds, seconds, 0.5, 3, List.of()));
    }

    private static EarlierResults.Old old(String suite, String kernel, String plan, Dimensions d, double seconds) {
        return new EarlierResults.Old(suite, kernel, plan, d, seconds, false);
    }
}
