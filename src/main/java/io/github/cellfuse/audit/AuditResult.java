package io.github.cellfuse.audit;

import io.github.cellfuse.audit.Instruction.Kind;
import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * A kernel on a target.
 *
 * @param mix the inner loop's instructions, or all where no loop has multiply-adds
 * @param isLoop whether {@code mix} is a loop
 * @param occupancy empty where the registers aren't known
 * @param prediction empty where there is no loop or no occupancy
 * @param bytesOfCell what {@code lstm_cell} moves for each cell; empty for other kernels
 */
record AuditResult(
        KernelVariant variant,
        Target target,
        Compiled compiled,
        Mix mix,
        boolean isLoop,
        Optional<Occupancy> occupancy,
        Optional<Prediction> prediction,
        OptionalDouble bytesOfCell) {

    static AuditResult of(KernelVariant variant, Target target, Compiled compiled) {
        ControlFlow flow = compiled.code().flow();
        Optional<Mix> loop = flow.innerLoop().map(Mix::new);
        Resources resources = compiled.resources();
        Optional<Occupancy> occupancy = resources.registers().isPresent()
                ? Optional.of(target.unit()
                        .occupancy(resources.registers().getAsInt(), resources.localBytes(), variant.workGroup()))
                : Optional.empty();
        return new AuditResult(
                variant,
                target,
                compiled,
                loop.orElseGet(() -> new Mix(flow.all())),
                loop.isPresent(),
                occupancy,
                loop.flatMap(mix -> occupancy.map(waves -> Prediction.of(target.unit(), mix, variant, waves))),
                variant.kernel().equals("lstm_cell")
                        ? OptionalDouble.of(bytesOfCell(variant, flow))
                        : OptionalDouble.empty());
    }

    /**
     * Of a work-item that has a whole vector of units: the way without the loop over a last vector's units. The number of rows,
     * {@code active[slot]}, is the same for all work-items and isn't counted.
     */
    private static double bytesOfCell(KernelVariant variant, ControlFlow flow) {
        int all = new Mix(flow.heaviestPath(each -> each.kind() == Kind.GLOBAL ? each.bytes() : 0)).bytes(Kind.GLOBAL);
        return (double) (all - Integer.BYTES) / (variant.rows() * variant.columns());
    }

    Resources resources() {
        return compiled.resources();
    }

    @Override
    public String toString() {
        return variant + " on " + target;
    }
}
