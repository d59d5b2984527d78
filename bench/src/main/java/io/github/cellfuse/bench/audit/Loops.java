package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.ControlFlow.Part;
import java.util.Optional;

/**
 * The instructions that a kernel repeats. Immutable.
 *
 * @param inner the innermost loop with the most multiply-adds, or the whole kernel if no loop has any
 * @param isLoop whether {@code inner} is a loop
 * @param around what else is in the smallest loop around it: a stage of a tile, or a step; empty if there is none
 * @param fmasOfK multiply-adds of a work-item for each k
 * @param execution what a warp executed; empty on AMD
 */
record Loops(Part inner, boolean isLoop, Optional<Part> around, int fmasOfK, Optional<Execution> execution) {
    static Loops of(KernelVariant variant, Compiled compiled) {
        ControlFlow flow = compiled.code().flow();
        Optional<Part> loop = flow.innerLoop();
        return new Loops(
                loop.orElseGet(flow::all),
                loop.isPresent(),
                flow.aroundInnerLoop(),
                variant.fmasOfK(),
                compiled.execution());
    }

    /** Returns the instructions of the inner loop. */
    Mix mix() {
        return inner.mix();
    }

    /** Returns the instructions of both loops. */
    Mix both() {
        return around.map(part -> mix().and(part.mix())).orElseGet(this::mix);
    }

    /** Returns the number of k for which an iteration of the inner loop multiplies. */
    double iterationK() {
        return (double) mix().fmas() / fmasOfK;
    }

    /** Returns the instructions of the inner loop for each k; empty without a loop. */
    Optional<Counts> ofK() {
        return isLoop ? Optional.of(Counts.of(inner, position -> 1 / iterationK())) : Optional.empty();
    }

    /**
     * Returns the other instructions of the loop around it as they are listed, including those that only an incomplete
     * tile needs; empty without such a loop.
     */
    Optional<Counts> ofAround() {
        return around.map(part -> Counts.of(part, position -> 1));
    }

    /**
     * Returns the instructions of both loops that a warp executed for each k; empty on AMD, without a loop, and if the
     * warp executed none of its multiply-adds, as where only an incomplete stage needs the loop.
     */
    Optional<Counts> executedOfK() {
        return execution.filter(any -> isLoop).flatMap(all -> {
            double fmas = 0;
            for (var each : inner.instructions().entrySet()) {
                fmas += (double) each.getValue().fmas() * all.times(each.getKey());
            }
            if (fmas == 0) {
                return Optional.empty();
            }
            double k = fmas / fmasOfK;
            Counts counts = Counts.of(inner, position -> all.times(position) / k);
            return Optional.of(around.map(part -> counts.plus(Counts.of(part, position -> all.times(position) / k)))
                    .orElse(counts));
        });
    }

    /** Returns what the inner loop asks of global memory; empty on AMD. */
    Optional<Requests> requests() {
        return execution.map(all -> all.requests().at(inner.instructions().keySet()));
    }

    /** Returns what the rest of the loop around it asks of global memory; empty on AMD and without such a loop. */
    Optional<Requests> requestsAround() {
        return execution.flatMap(
                all -> around.map(part -> all.requests().at(part.instructions().keySet())));
    }
}
