package io.github.cellfuse.bench.audit;

import java.util.List;
import java.util.Optional;

/** Results for listings. */
final class Variants {
    private Variants() {}

    static KernelVariant tiled(String kernel, int rows, int columns) {
        return new KernelVariant(kernel, "fused " + rows + "x" + columns, List.of(), "", 256, 0, rows, columns);
    }

    static AuditResult amd(KernelVariant variant, String text) {
        return amd(variant, Target.named("gfx906"), text);
    }

    static AuditResult amd(KernelVariant variant, Target target, String text) {
        KernelCode code = AmdAssembly.parse(text, variant.kernel());
        return AuditResult.of(variant, target, new Compiled(code, Optional.empty(), Optional.empty()));
    }
}
