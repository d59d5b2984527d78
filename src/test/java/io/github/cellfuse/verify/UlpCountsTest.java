package io.github.cellfuse.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class UlpCountsTest {
    private final UlpCounts counts = new UlpCounts();

    @Test
    void anErrorBelongsToTheSmallestPowerOfTwoThatIsntBelowIt() {
        double ulp = Math.ulp(1f);
        for (double error : new double[] {0, 0.25, 0.5, 0.51, 1, 1.01, 2, 2.5, 4, 5}) {
            counts.add(error * ulp, 1);
        }
        assertEquals(List.of(3L, 2L, 2L, 2L, 1L), counts.counts());
        assertEquals(5, counts.largest());
    }

    @Test
    void theUnitIsFloat32sAtTheReference() {
        counts.add(Math.ulp(3e-20f), 3e-20);
        counts.add(Float.MIN_VALUE, 0);
        counts.add(Float.MIN_VALUE, 1e-300);
        counts.add(Math.ulp(Float.MAX_VALUE), -1e300);
        assertEquals(List.of(0L, 4L), counts.counts());
    }

    @Test
    void whatIsFarthestAwayIsInTheLastCount() {
        counts.add(1, Float.MIN_VALUE);
        counts.add(Double.POSITIVE_INFINITY, 1);
        counts.add(Double.POSITIVE_INFINITY, Double.NaN);
        counts.add(0, Double.POSITIVE_INFINITY);
        assertEquals(32, counts.counts().size());
        assertEquals(3, counts.counts().get(31));
        assertEquals(1, counts.counts().get(0));
        assertEquals(0x1p149, counts.largest(), "infinity has no number of ulp");
    }

    @Test
    void sumsAreThoseOfAll() {
        UlpCounts other = new UlpCounts();
        other.add(2 * Math.ulp(1f), 1);
        counts.add(0, 1);
        counts.add(other);
        assertEquals(List.of(1L, 0L, 1L), counts.counts());
        assertEquals(2, counts.largest());
    }
}
