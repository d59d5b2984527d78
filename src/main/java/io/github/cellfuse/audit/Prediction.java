package io.github.cellfuse.audit;

import io.github.cellfuse.audit.Instruction.Kind;
import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What share of a device's multiply-add peak a kernel's inner loop can reach, by four things that are each limits of their own: the least
 * counts. It is a model of a compute unit that is full of work, with the rates and latencies of {@link ComputeUnit}. It sees
 * instructions and not addresses, so it knows nothing of bank conflicts and of lanes that read from lines apart: what it says is an
 * upper bound, good for comparing kernels and for finding the limit that comes first.
 *
 * @param issue the vector ALU has other instructions, too
 * @param local local memory's bandwidth
 * @param global the caches' bandwidth
 * @param latency waiting: waves and independent sums are too few
 */
record Prediction(double issue, double local, double global, double latency) {

    static Prediction of(ComputeUnit unit, Mix loop, KernelVariant variant, Occupancy occupancy) {
        return new Prediction(
                issue(unit, loop), local(unit, loop), global(unit, loop, variant), latency(unit, loop, occupancy));
    }

    /** Clocks that all waves of a compute unit need at the peak for one pass of the loop, when each SIMD has one wave. */
    private static double peakClocks(ComputeUnit unit, Mix loop) {
        return (double) loop.fmas() * unit.simds() * unit.lanes() / unit.peak();
    }

    /**
     * Clocks in which a SIMD can issue one pass: every vector instruction keeps its ALU busy. On NVIDIA everything else takes a slot of the
     * same scheduler, of which there is one a clock; on AMD other instructions are issued beside the vector ones of another wave.
     */
    private static double issueClocks(ComputeUnit unit, Mix loop) {
        double vector = (double) loop.vectorInstructions() * unit.clocks();
        if (!unit.sharedIssue()) {
            return vector;
        }
        // With two clocks for a multiply-add the slot in between is free for integers, too: Turing and Ampere have an
        // ALU for them.
        double fmas = (double) loop.fmas() * unit.clocks();
        return Math.max(fmas, loop.issued());
    }

    private static double issue(ComputeUnit unit, Mix loop) {
        return share(peakClocks(unit, loop), issueClocks(unit, loop));
    }

    /** Each lane is charged for its own bytes: a broadcast to lanes that read the same address is no cheaper. Stores cost the same. */
    private static double local(ComputeUnit unit, Mix loop) {
        double bytes =
                (double) (loop.bytes(Kind.LOCAL_LOAD) + loop.bytes(Kind.LOCAL_STORE)) * unit.lanes() * unit.simds();
        return share(peakClocks(unit, loop), bytes / ComputeUnit.LOCAL_BYTES);
    }

    /**
     * Where a work-group shares its tile, it reads every weight and every state once, and finds them in the shared cache: the operands of
     * a step (16·H² and 8·H·N bytes) fit there, up to the sizes that the caches have. Where each work-item has a tile of its own, that
     * holds for a wave, whose lanes have different rows of the same columns; besides, the nearest cache hands every lane its bytes.
     */
    private static double global(ComputeUnit unit, Mix loop, KernelVariant variant) {
        boolean shared = variant.workGroup() > 0;
        int rows = shared ? variant.rows() : unit.lanes() * variant.rows();
        double bytesOfFma = 4.0 / rows + 4.0 / variant.columns();
        double far = share(unit.level2(), bytesOfFma * unit.peak());
        double bytes = (double) loop.bytes(Kind.GLOBAL) * unit.lanes() * unit.simds();
        return Math.min(far, share(peakClocks(unit, loop), bytes / unit.level1()));
    }

    /**
     * A wave's pass takes as long as it is issued, and waits once for local and once for global memory where the loop has loads from
     * them; meanwhile the SIMD's other waves go on. A sum can go on when the one before is there: sums and waves together have to fill
     * that time.
     */
    private static double latency(ComputeUnit unit, Mix loop, Occupancy occupancy) {
        double waves = (double) occupancy.waves() / unit.simds();
        double busy = issueClocks(unit, loop);
        double waiting = (loop.count(Kind.LOCAL_LOAD) > 0 ? unit.localLatency() : 0)
                + (loop.count(Kind.GLOBAL) > 0 ? unit.globalLatency() : 0);
        double chains = (double) loop.chains() / unit.fmasPerInstruction() * unit.clocks();
        return Math.min(share(waves * busy, busy + waiting), share(waves * chains, unit.fmaLatency()));
    }

    private static double share(double available, double needed) {
        return needed <= available ? 1 : available / needed;
    }

    /** The least of the four. */
    double ofPeak() {
        return Math.min(Math.min(issue, local), Math.min(global, latency));
    }

    /** The name of the least. */
    String limit() {
        Map<String, Double> all = new LinkedHashMap<>();
        all.put("issue", issue);
        all.put("local memory", local);
        all.put("caches", global);
        all.put("latency", latency);
        return all.entrySet().stream()
                .min(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow();
    }
}
