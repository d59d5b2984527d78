package io.github.cellfuse.bench.audit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The results of compiling kernels for targets. Immutable.
 *
 * @param compiler the compiler's version
 * @param assembler the version of NVIDIA's assembler; empty without it
 * @param results ordered by variant, then by target
 * @param spirv why a variant isn't valid SPIR-V, or empty if it is; empty as a whole without a translator
 */
public record Audit(
        String compiler,
        Optional<String> assembler,
        List<AuditResult> results,
        Optional<Map<KernelVariant, Optional<String>>> spirv) {

    /**
     * Compiles each of {@code variants} for each target that has enough local memory, on all cores.
     *
     * @param targets names of targets; an empty list means all of them
     * @throws io.github.cellfuse.InvalidInputException if there is no target of such a name
     * @throws AuditException if a compiler fails
     */
    public static Audit of(Toolchain tools, List<KernelVariant> variants, List<String> targets) {
        List<Target> wanted = targets.isEmpty()
                ? Target.ALL
                : targets.stream().map(Target::named).toList();
        ExecutorService cores =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            List<Future<List<AuditResult>>> results = new ArrayList<>();
            Map<KernelVariant, Future<Optional<String>>> spirv = new LinkedHashMap<>();
            for (KernelVariant variant : variants) {
                List<Target> fitting =
                        wanted.stream().filter(each -> each.fits(variant)).toList();
                Callable<List<AuditResult>> work = () -> tools.compile(variant, fitting).entrySet().stream()
                        .map(each -> AuditResult.of(variant, each.getKey(), each.getValue()))
                        .toList();
                results.add(cores.submit(work));
                tools.spirv()
                        .ifPresent(each -> spirv.put(variant, cores.submit(() -> tools.whyNotSpirv(each, variant))));
            }
            Map<KernelVariant, Optional<String>> valid = new LinkedHashMap<>();
            for (Map.Entry<KernelVariant, Future<Optional<String>>> each : spirv.entrySet()) {
                valid.put(each.getKey(), get(each.getValue()));
            }
            return new Audit(
                    tools.version(),
                    tools.assemblerVersion(),
                    results.stream().map(Audit::get).flatMap(List::stream).toList(),
                    tools.spirv().map(any -> valid));
        } finally {
            cores.shutdownNow();
        }
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new AuditException(String.valueOf(e.getCause().getMessage()), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AuditException("the audit was interrupted", e);
        }
    }

    /** Returns the limits that don't hold, as sentences. */
    public List<String> broken() {
        List<String> all = new ArrayList<>();
        Limit.broken(results).forEach(each -> all.add(each.toString()));
        spirv.orElse(Map.of())
                .forEach((variant, why) ->
                        why.ifPresent(text -> all.add(variant + ": expected valid SPIR-V, found " + text)));
        return all;
    }
}
