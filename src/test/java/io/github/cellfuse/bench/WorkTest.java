package io.github.cellfuse.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import org.junit.jupiter.api.Test;

/** Bytes and operations against numbers worked out by hand: T=2, N=3, I=5, H=4. */
class WorkTest {
    private static final Dimensions D = Dimensions.of(2, 3, 5, 4);

    @Test
    void theCellMoves28Bytes() {
        assertEquals(new Work(201 * 12, 28 * 12), Work.cell(D));
    }

    @Test
    void activationsReadOneValueAndWriteTwo() {
        assertEquals(new Work(790, 120), Work.activations(10));
    }

    @Test
    void projections() {
        // 6 rows x 16 gates x 5 features; x 30, W 80, bias 16, pre-activations 96.
        assertEquals(new Work(2 * 6 * 16 * 5, 4 * (30 + 80 + 16 + 96)), Work.inputProjection(D));
        // 3 rows x 4 units x 2 outputs; o*tanh(c) 12, S 8, h 6.
        Dimensions projected = D.withProjection(2);
        assertEquals(new Work(2 * 3 * 4 * 2, 4 * (12 + 8 + 6)), Work.hiddenProjection(projected));
    }

    @Test
    void aStepUnderEachPlan() {
        // x 15, W 80, bias 16, h before 12, R 64; then c in and out and h 36, or pre-activations 48.
        assertEquals(new Work(8 * 4 * 9 * 3, 4 * (15 + 80 + 16 + 12 + 64 + 36)), Work.step(D, Plan.FUSED));
        assertEquals(new Work(8 * 4 * 9 * 3, 4 * (15 + 80 + 16 + 12 + 64 + 48)), Work.step(D, Plan.SEPARATE));
        assertEquals(new Work(8 * 4 * 4 * 3, 4 * (48 + 12 + 64 + 36)), Work.step(D, Plan.HOISTED));
    }

    @Test
    void wholeRuns() {
        // x 30, y 24, weights 4*4*(5+4+1) = 160, h and c in and out 48.
        assertEquals(new Work(8 * 4 * 9 * 3 * 2, 4 * (30 + 24 + 160 + 48)), Work.run(D));
        // x 30, y 24, h before 12, c in and out 24, weights 160.
        assertEquals(new Work(8 * 4 * 9 * 3 * 2, 4 * (30 + 24 + 12 + 24 + 160)), Work.sequence(D));
        assertEquals(new Work(8 * 4 * 4 * 3 * 2, 4 * (96 + 24 + 12 + 24 + 64)), Work.hoistedSequence(D));
        assertEquals(
                Shape.parse("64,256,512,512").flops(),
                Work.run(Dimensions.of(64, 256, 512, 512)).flops());
    }

    @Test
    void layersDirectionsAndProjection() {
        // P = 2: layer 0 has 5 features, layer 1 2·2; per direction and row 8·4·(5+2) + 2·2·4 and 8·4·(4+2) + 2·2·4.
        Dimensions d = D.withProjection(2).withLayers(2).withDirections(2);
        double flops = 6.0 * 2 * (8 * 4 * 7 + 16 + 8 * 4 * 6 + 16);
        double weights = 2 * (16 * (5 + 2 + 1) + 8 + 16 * (4 + 2 + 1) + 8);
        assertEquals(new Work(flops, 4 * (30 + 24 + weights + 4 * 2 * 3 * (2 + 4))), Work.run(d));
        assertEquals("2,3,5,4 P=2 L=2 bidirectional", d.toString());
    }

    @Test
    void weightsCountAsTheyAreStored() {
        Dimensions half = D.withWeights(WeightPrecision.F16);
        // Of the counts above: weights alone by two bytes each.
        assertEquals(4 * (30 + 16 + 96) + 2 * 80, Work.inputProjection(half).bytes());
        assertEquals(
                4 * (15 + 16 + 12 + 36) + 2 * (80 + 64),
                Work.step(half, Plan.FUSED).bytes());
        assertEquals(4 * (48 + 12 + 36) + 2 * 64, Work.step(half, Plan.HOISTED).bytes());
        assertEquals(4 * (30 + 24 + 16 + 48) + 2 * 144, Work.run(half).bytes());
        assertEquals(4 * (30 + 24 + 12 + 24 + 16) + 2 * 144, Work.sequence(half).bytes());
        assertEquals(4 * (96 + 24 + 12 + 24) + 2 * 64, Work.recurrent(half).bytes());
        Dimensions projected = D.withProjection(2).withWeights(WeightPrecision.BF16);
        assertEquals(4 * (12 + 6) + 2 * 8, Work.hiddenProjection(projected).bytes());
        assertEquals(Work.run(D).flops(), Work.run(half).flops());
        assertEquals("2,3,5,4 f16", half.toString());
        assertEquals(half.withSteps(1), Dimensions.of(1, 3, 5, 4).withWeights(WeightPrecision.F16));
    }

    @Test
    void deepBenchCountsTheRecurrentProductAlone() {
        // Published: 512 x 128 x 25 in 1.559 ms are 4.31 TFLOP/s.
        Work work = Work.recurrent(Dimensions.of(25, 128, 1, 512));
        assertEquals(4.31, work.flops() / 1.559e-3 * 1e-12, 0.01);
        // Pre-activations 96, h written 24, R 64, h before 12, c in and out 24.
        assertEquals(4 * (96 + 24 + 64 + 12 + 24), Work.recurrent(D).bytes());
    }

    @Test
    void theRoofIsTheLowerOfBothLimits() {
        Limits limits = new Limits(100, 10);
        // 4 operations a byte: the memory allows 40 a second; of 20 a second it is a half.
        assertEquals(0.5, limits.share(new Work(40, 10), 2), 1e-12);
        // 20 operations a byte: the peak allows 100.
        assertEquals(0.25, limits.share(new Work(200, 10), 8), 1e-12);
        assertTrue(Double.isNaN(Limits.UNKNOWN.share(new Work(1, 1), 1)));
    }
}
