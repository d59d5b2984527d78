package io.github.cellfuse.opencl.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The rule against noise, on artificial timings. */
class RaceTest {
    private static final double[] USUAL = {10, 11, 10, 12, 10};

    private static double[] times(double... ratios) {
        double[] times = new double[USUAL.length];
        for (int k = 0; k < times.length; k++) {
            times[k] = USUAL[k] * ratios[k];
        }
        return times;
    }

    private static int winner(double[]... others) {
        double[][] seconds = new double[others.length + 1][];
        seconds[0] = USUAL;
        System.arraycopy(others, 0, seconds, 1, others.length);
        return new Race(seconds).winner();
    }

    @Test
    void theFastestThatIsClearlyAheadWins() {
        assertEquals(1, winner(times(0.9, 0.91, 0.9, 0.89, 0.9)));
        assertEquals(2, winner(times(0.9, 0.91, 0.9, 0.89, 0.9), times(0.8, 0.8, 0.8, 0.8, 0.8)));
        assertEquals(1, winner(times(0.97, 0.97, 0.97, 0.97, 0.97)), "3 % are enough");
    }

    @Test
    void noiseDoesNotTune() {
        assertEquals(0, winner());
        assertEquals(0, winner(times(1, 1, 1, 1, 1)));
        assertEquals(0, winner(times(0.98, 0.98, 0.98, 0.98, 0.98)), "2 % are too few");
        assertEquals(0, winner(times(0.5, 1.1, 0.9, 1.1, 0.8)), "ahead in three rounds of five only");
        assertEquals(1, winner(times(0.95, 0.95, 0.95, 0.95, 0.95), times(0.5, 1.1, 0.5, 1.1, 0.5)));
    }

    @Test
    void oneBadRoundDecidesNothing() {
        assertEquals(1, winner(times(0.9, 0.9, 30, 0.9, 0.9)));
        assertEquals(0, winner(times(1.02, 0.01, 1.02, 1.02, 1.02)));
    }

    /** Both sides slow down at the same time, so their ratio stays the same. */
    @Test
    void aSlowMinuteSlowsBothSides() {
        Random random = new Random(5);
        double[][] seconds = new double[2][40];
        for (int round = 0; round < 40; round++) {
            double machine = round < 20 ? 1 : 3;
            seconds[0][round] = machine * (1 + 0.02 * random.nextDouble());
            seconds[1][round] = 0.92 * machine * (1 + 0.02 * random.nextDouble());
        }
        assertEquals(1, new Race(seconds).winner());
        assertEquals(0.92, new Race(seconds).ratio(1), 0.02);
    }
}
