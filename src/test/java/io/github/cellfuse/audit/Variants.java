package io.github.cellfuse.audit;

import io.github.cellfuse.opencl.plan.KernelVariant;
import java.util.List;
import java.util.Optional;

/** Results made of listings. */
final class Variants {
    private Variants() {}

    static KernelVariant tiled(String kernel, int rows, int columns) {
        return new KernelVariant(kernel, "fused " + rows + "x" + columns, List.of(), "", 256, 0, rows, columns);
    }

    static AuditResult amd(KernelVariant variant, String text) {
        KernelCode code = AmdAssembly.parse(text, variant.kernel());
        return AuditResult.of(variant, Target.named("gfx906"), new Compiled(code, Optional.empty()));
    }
}
