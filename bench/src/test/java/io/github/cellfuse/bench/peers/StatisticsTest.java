package io.github.cellfuse.bench.peers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void theMedianIsTheMiddleOfTheSortedValues() {
        assertEquals(2, Statistics.median(3, 1, 2));
        assertEquals(2.5, Statistics.median(4, 1, 2, 3));
        assertEquals(7, Statistics.median(7));
        assertThrows(IllegalArgumentException.class, Statistics::median);
    }

    @Test
    void quantilesInterpolate() {
        assertEquals(2, Statistics.quantile(0.25, 5, 4, 3, 2, 1));
        assertEquals(4, Statistics.quantile(0.75, 5, 4, 3, 2, 1));
        assertEquals(1.75, Statistics.quantile(0.25, 1, 2, 3, 4));
        assertEquals(1, Statistics.quantile(0, 1, 2));
        assertEquals(2, Statistics.quantile(1, 1, 2));
    }

    @Test
    void theCallersArrayIsLeftInItsOrder() {
        double[] values = {3, 1, 2};
        Statistics.median(values);
        assertArrayEquals(new double[] {3, 1, 2}, values);
    }

    @Test
    void ratiosArePairedByRounds() {
        assertArrayEquals(new double[] {2, 0.5}, Statistics.ratios(new double[] {4, 1}, new double[] {2, 2}));
        assertThrows(IllegalArgumentException.class, () -> Statistics.ratios(new double[1], new double[2]));
    }

    @Test
    void theGeometricMeanOfARatioAndItsInverseIsOne() {
        assertEquals(1, Statistics.geometricMean(4, 0.25), 1e-15);
    }

    @Test
    void aNanOrAnotherSizeIsAnInfiniteDifference() {
        FloatBuffer ones = FloatBuffer.wrap(new float[] {1, 1});
        assertEquals(0, Statistics.largestDifference(ones, ones));
        assertEquals(0.5, Statistics.largestDifference(ones, FloatBuffer.wrap(new float[] {1, 0.5f})));
        assertEquals(Double.POSITIVE_INFINITY, Statistics.largestDifference(ones, FloatBuffer.wrap(new float[] {
            Float.NaN, 1
        })));
        assertEquals(Double.POSITIVE_INFINITY, Statistics.largestDifference(ones, FloatBuffer.wrap(new float[] {1})));
    }
}
