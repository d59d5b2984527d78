package io.github.cellfuse.opencl.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The rule by which an engine's work-items wait for each other, on a clock of the test's. */
class CooperationTest {
    private static final long MS = 1_000_000;

    private long now = 5;
    private final Cooperation cooperation = new Cooperation(() -> now);

    /** Runs for {@code seconds} and returns how long the same runs would have taken without waiting. */
    private double run(double seconds, double estimate, long together, long alone, boolean givesUp) {
        long start = now;
        double without = 0;
        while (now - start < seconds * 1e9) {
            without += alone;
            if (!cooperation.isAllowed()) {
                now += alone;
                cooperation.ranAlone(estimate, alone);
            } else if (givesUp) {
                long lost = Math.min(together, (long) (cooperation.patience(estimate) * 1e9) + MS);
                now += lost;
                cooperation.gaveUp(lost);
                now += alone;
                cooperation.ranAlone(estimate, alone);
            } else {
                now += together;
                cooperation.ranTogether(estimate, together);
            }
        }
        return without / (now - start);
    }

    @Test
    void fastRunsStayTogether() {
        assertEquals(2, run(10, 1.36e-3, 700_000, 1_400_000, false), 0.01);
        assertTrue(cooperation.isAllowed());
    }

    @Test
    void whatIsForbiddenStaysSo() {
        assertTrue(cooperation.forbid());
        assertFalse(cooperation.isAllowed());
        now += 3600L * 1000 * MS;
        assertFalse(cooperation.isAllowed());
        assertFalse(cooperation.forbid(), "it was forbidden before");
    }

    /** With good and bad estimates, and with runs that give up or are merely slow. */
    @ParameterizedTest
    @CsvSource({
        "1.36e-3, 14_300_000, 2_200_000, true",
        "1.36e-3, 14_300_000, 2_200_000, false",
        "0.3e-3, 14_300_000, 2_200_000, true",
        "0.02e-3, 4_000_000, 60_000, true",
        "0.02e-3, 900_000, 60_000, false",
        "1e-1, 4_000_000_000, 200_000_000, true"
    })
    void heldUpRunsLoseLittle(double estimate, String together, String alone, boolean givesUp) {
        long slow = Long.parseLong(together.replace("_", "")), usual = Long.parseLong(alone.replace("_", ""));
        double seconds = Math.max(1, 20e-9 * usual);
        for (int window = 0; window < 20; window++) {
            double share = run(seconds, estimate, slow, usual, givesUp);
            assertTrue(share > 1 / 1.5, "window " + window + ": " + 1 / share + " times as long");
        }
    }

    /** A single disturbance costs a short rest; then it goes on as before. */
    @Test
    void oneDisturbanceIsForgotten() {
        run(1, 1.36e-3, 700_000, 1_400_000, false);
        cooperation.gaveUp(3 * MS);
        assertFalse(cooperation.isAllowed());
        now += 59 * MS;
        assertFalse(cooperation.isAllowed());
        now += 2 * MS;
        assertTrue(cooperation.isAllowed());
        assertEquals(2, run(1, 1.36e-3, 700_000, 1_400_000, false), 0.01);
    }

    /** A lasting load is noticed with ever fewer attempts, and its end within half a minute. */
    @Test
    void restsBecomeLongerButEnd() {
        run(120, 1.36e-3, 14 * MS, 2 * MS, true);
        long start = now;
        run(60, 1.36e-3, 700_000, 1_400_000, false);
        assertTrue(cooperation.isAllowed());
        assertTrue(now - start < 62_000 * MS);
        assertEquals(2, run(1, 1.36e-3, 700_000, 1_400_000, false), 0.01);
    }

    /** Where the estimate is far too low, the first runs are taken for slow, until a rest has measured the others. */
    @Test
    void aWrongEstimateIsCorrected() {
        run(1, 0.1e-3, 700_000, 1_400_000, false);
        assertEquals(2, run(1, 0.1e-3, 700_000, 1_400_000, false), 0.01);
    }

    @Test
    void aRunWhoseTimeDoesNotMatterIsNeverSlow() {
        cooperation.ranTogether(Double.POSITIVE_INFINITY, 3_600_000 * MS);
        assertTrue(cooperation.isAllowed());
    }
}
