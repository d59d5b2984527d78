package io.github.cellfuse.bench.audit;

import io.github.cellfuse.opencl.program.DeviceAtomics;
import io.github.cellfuse.opencl.program.KernelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The compilers. Each is the name of a program on the PATH, or a whole path. Thread safe.
 *
 * @param clang LLVM's compiler, with code generators for both vendors
 * @param libclc the folder of libclc, OpenCL's built-in functions as bitcode
 * @param ptxas NVIDIA's assembler, if present
 * @param spirv the programs that make and check SPIR-V, if present
 */
public record Toolchain(String clang, Path libclc, Optional<String> ptxas, Optional<Spirv> spirv) {
    /**
     * The programs that make and check SPIR-V.
     *
     * @param clang a compiler of the translator's version: LLVM's bitcode differs between versions
     * @param translator {@code llvm-spirv}
     * @param validator {@code spirv-val}
     */
    public record Spirv(String clang, String translator, String validator) {}

    /** The oldest of NVIDIA's targets. */
    private static final String OLDEST_NVIDIA = "sm_75";

    /**
     * libclc lacks this function for NVIDIA, whose compiler reads it from these registers. It precedes the kernels'
     * text.
     */
    private static final String GLOBAL_OFFSET = """
            __attribute__((overloadable, always_inline)) size_t get_global_offset(uint dimension) {
              uint offset;
              if (dimension == 0) __asm__("mov.u32 %0, %%envreg3;" : "=r"(offset));
              else if (dimension == 1) __asm__("mov.u32 %0, %%envreg4;" : "=r"(offset));
              else __asm__("mov.u32 %0, %%envreg5;" : "=r"(offset));
              return offset;
            }
            """;

    /** The language of all kernels whose work-groups don't wait for each other. */
    private static final String USUAL = "-cl-std=CL1.2";

    /** That of the others on AMD: its driver has OpenCL C 2.0. */
    private static final DeviceAtomics AMD = new DeviceAtomics("CL2.0", false);

    /** libclc lacks these functions of OpenCL C 2.0, which AMD's library has in the same words. */
    private static final String ATOMICS = """
            __attribute__((overloadable, always_inline)) int atomic_fetch_add_explicit(
                volatile atomic_int* count, int more, memory_order order, memory_scope scope) {
              return __opencl_atomic_fetch_add(count, more, memory_order_release, memory_scope_device);
            }
            __attribute__((overloadable, always_inline)) int atomic_load_explicit(
                volatile atomic_int* count, memory_order order, memory_scope scope) {
              return __opencl_atomic_load(count, memory_order_acquire, memory_scope_device);
            }
            """;

    /** Returns the compiler's version. */
    String version() {
        return firstMatch(run(Path.of("."), List.of(clang, "--version")), ".*clang version (\\S+).*", "clang");
    }

    /** Returns the assembler's version; empty without it. */
    Optional<String> assemblerVersion() {
        return ptxas.map(
                program -> firstMatch(run(Path.of("."), List.of(program, "--version")), ".*(V[0-9.]+).*", "ptxas"));
    }

    private static String firstMatch(String text, String pattern, String program) {
        return text.lines()
                .filter(line -> line.matches(pattern))
                .map(line -> line.replaceFirst(pattern, "$1"))
                .findFirst()
                .orElseThrow(() -> new AuditException(program + " doesn't report its version: " + text));
    }

    /** Compiles {@code variant} for each of {@code targets}. */
    Map<Target, Compiled> compile(KernelVariant variant, List<Target> targets) {
        Map<Target, Compiled> all = new LinkedHashMap<>();
        List<Target> nvidia = new ArrayList<>();
        for (Target target : targets) {
            switch (target.vendor()) {
                case AMD -> all.put(target, amd(variant, target));
                case NVIDIA -> nvidia.add(target);
            }
        }
        if (!nvidia.isEmpty()) {
            all.putAll(nvidia(variant, nvidia));
        }
        return all;
    }

    private Compiled amd(KernelVariant variant, Target target) {
        return inFolder(folder -> {
            List<String> processor = new ArrayList<>(List.of("-mcpu=" + target.name(), "-nogpulib"));
            boolean waits = variant.kernel().equals(KernelSource.SEQUENCE_PERSISTENT.title());
            processor.addAll(List.of((waits ? AMD.options() : USUAL).strip().split(" ")));
            String source = waits ? ATOMICS + variant.text() : variant.text();
            String text = compile(folder, source, variant, "amdgcn--amdhsa", processor);
            return new Compiled(AmdAssembly.parse(text, variant.kernel()), Optional.empty(), Optional.empty());
        });
    }

    /** Compiles to PTX once: clang makes the same PTX for all targets, and each runs that of the oldest. */
    private Map<Target, Compiled> nvidia(KernelVariant variant, List<Target> targets) {
        return inFolder(folder -> {
            List<String> processor = List.of(USUAL, "-Xclang", "-target-cpu", "-Xclang", OLDEST_NVIDIA);
            String text = compile(folder, GLOBAL_OFFSET + variant.text(), variant, "nvptx64--nvidiacl", processor);
            KernelCode code = Ptx.parse(text, variant.kernel());
            Optional<Execution> execution = Optional.of(Warp.run(text, variant));
            Map<Target, Compiled> all = new LinkedHashMap<>();
            for (Target target : targets) {
                all.put(
                        target,
                        new Compiled(
                                code, ptxas.map(program -> assemble(program, folder, variant, target)), execution));
            }
            return all;
        });
    }

    private static Resources assemble(String ptxas, Path folder, KernelVariant variant, Target target) {
        List<String> command = new ArrayList<>(List.of(ptxas, "-v", "-arch=" + target.name()));
        command.addAll(List.of("--entry", variant.kernel(), "kernel.s", "-o", "kernel.cubin"));
        return PtxasReport.parse(run(folder, command), variant.kernel());
    }

    private String compile(Path folder, String source, KernelVariant variant, String triple, List<String> processor)
            throws IOException {
        Files.writeString(folder.resolve("kernel.cl"), source);
        List<String> command = new ArrayList<>(List.of(clang, "-x", "cl", "-O3", "--target=" + triple));
        command.addAll(processor);
        command.addAll(List.of("-Xclang", "-finclude-default-header", "-Xclang", "-mlink-builtin-bitcode"));
        command.addAll(List.of(
                "-Xclang", libclc.resolve(triple + ".bc").toAbsolutePath().toString()));
        command.addAll(List.of(variant.options().split(" ")));
        command.addAll(List.of("-S", "-o", "kernel.s", "kernel.cl"));
        run(folder, command);
        return Files.readString(folder.resolve("kernel.s"));
    }

    /**
     * Checks that {@code variant} is valid SPIR-V 1.0, the version for OpenCL 1.2 devices. Nothing is optimized: the
     * driver does that, and the translator of LLVM 15 describes optimized loops wrongly.
     *
     * @return the reason if it isn't valid; empty if it is
     */
    Optional<String> whyNotSpirv(Spirv tools, KernelVariant variant) {
        return inFolder(folder -> {
            Files.writeString(folder.resolve("kernel.cl"), variant.text());
            List<String> command = new ArrayList<>(List.of(tools.clang(), "-x", "cl", USUAL, "-O0"));
            command.addAll(List.of("--target=spirv64", "-Xclang", "-finclude-default-header", "-emit-llvm", "-c"));
            command.addAll(List.of(variant.options().split(" ")));
            command.addAll(List.of("-o", "kernel.bc", "kernel.cl"));
            run(folder, command);
            run(folder, List.of(tools.translator(), "--spirv-max-version=1.0", "kernel.bc", "-o", "kernel.spv"));
            try {
                run(folder, List.of(tools.validator(), "--target-env", "opencl1.2", "kernel.spv"));
                return Optional.empty();
            } catch (AuditException e) {
                return Optional.of(e.getMessage());
            }
        });
    }

    private interface Work<T> {
        T in(Path folder) throws IOException;
    }

    private static <T> T inFolder(Work<T> work) {
        try {
            Path folder = Files.createTempDirectory("cellfuse-audit");
            try {
                return work.in(folder);
            } finally {
                try (var files = Files.list(folder)) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new AuditException("can't write or read a temporary file: " + e.getMessage(), e);
        }
    }

    /**
     * Runs {@code command} in {@code folder} and returns its output. File names are relative to {@code folder}, so that
     * messages are the same on every machine.
     */
    private static String run(Path folder, List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            if (status != 0) {
                throw new AuditException(
                        String.join(" ", command) + " failed with status " + status + ": " + said.strip());
            }
            return said;
        } catch (IOException e) {
            throw new AuditException(command.get(0) + " can't be run: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AuditException(command.get(0) + " was interrupted", e);
        }
    }
}
