package io.github.cellfuse.bench.audit;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A kernel on a target.
 *
 * @param loops the instructions that it repeats
 * @param waves waves that a SIMD has registers for; empty if the registers aren't known
 * @param bytesOfCell bytes that {@code lstm_cell} moves for each cell; empty for other kernels
 */
record AuditResult(
        KernelVariant variant,
        Target target,
        Compiled compiled,
        Loops loops,
        OptionalInt waves,
        OptionalDouble bytesOfCell) {

    static AuditResult of(KernelVariant variant, Target target, Compiled compiled) {
        OptionalInt registers = compiled.resources().registers();
        return new AuditResult(
                variant,
                target,
                compiled,
                Loops.of(variant, compiled),
                registers.isPresent() ? OptionalInt.of(target.waves(registers.getAsInt())) : OptionalInt.empty(),
                variant.kernel().equals("lstm_cell")
                        ? OptionalDouble.of(bytesOfCell(variant, compiled.code().flow()))
                        : OptionalDouble.empty());
    }

    /**
     * Returns the bytes for a work-item that has a whole vector of units: the path without the loop over the units of
     * an incomplete vector. The number of rows, {@code active[slot]}, is the same for all work-items and isn't counted.
     */
    private static double bytesOfCell(KernelVariant variant, ControlFlow flow) {
        int all = new Mix(flow.heaviestPath(each -> each.isGlobal() ? each.bytes() : 0)).globalBytes();
        return (double) (all - Integer.BYTES) / (variant.rows() * variant.columns());
    }

    Resources resources() {
        return compiled.resources();
    }

    /** Returns the instructions of the inner loop, or all instructions if no loop has multiply-adds. */
    Mix mix() {
        return loops.mix();
    }

    @Override
    public String toString() {
        return variant + " on " + target;
    }
}
