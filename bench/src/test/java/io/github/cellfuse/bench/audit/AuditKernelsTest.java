package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The program with a fake compiler. */
@DisabledOnOs(OS.WINDOWS)
class AuditKernelsTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter(), err = new StringWriter();

    /** A script that writes a listing of all kernels, regardless of its input. */
    private String compiler(int spills) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String name : KernelVariant.gpu().stream()
                .map(KernelVariant::kernel)
                .distinct()
                .toList()) {
            String kernel = switch (name) {
                case "lstm_step_tiled", "lstm_input_projection_tiled", "lstm_step_narrow", "lstm_sequence_persistent" ->
                    AmdText.product(name, 400);
                case "lstm_sequence_tiled" -> AmdText.withoutScratch(name, 64);
                default -> AmdText.kernel(name, 64, spills);
            };
            // 28 bytes for each of the four cells, and active[slot]
            text.append(
                    name.equals("lstm_cell")
                            ? kernel.replace(
                                    ".LBB0_3:\n",
                                    ".LBB0_3:\n\tglobal_load_dword v0, v[2:3], off\n"
                                            + "\tglobal_load_dwordx4 v[0:3], v[4:5], off\n".repeat(6))
                            : kernel);
        }
        Path listing = Files.writeString(folder.resolve("listing.s"), text);
        Path script = Files.writeString(folder.resolve("clang"), """
                #!/bin/sh
                if [ "$1" = --version ]; then echo 'Some clang version 19.1.7 (1)'; exit; fi
                echo "$* $(grep -c 'int atomic_load_explicit' kernel.cl)" >>'%s'
                while [ "$1" != -o ]; do shift; done
                cp '%s' "$2"
                """.formatted(folder.resolve("commands"), listing));
        assertTrue(script.toFile().setExecutable(true));
        return script.toString();
    }

    private int run(String clang, String... more) {
        List<String> arguments = new ArrayList<>(List.of("--clang", clang, "--libclc", folder.toString()));
        arguments.addAll(List.of(more));
        return AuditKernels.execute(
                new PrintWriter(out, true), new PrintWriter(err, true), arguments.toArray(String[]::new));
    }

    @Test
    void printsTheTablesWhenEveryLimitHolds() throws IOException {
        assertEquals(0, run(compiler(0), "--target", "gfx906"), err.toString());
        assertTrue(out.toString().contains("| `lstm_step` "), out.toString());
        assertEquals("", err.toString());
    }

    /** AMD's compiler gets atomic operations for the whole device where work-groups wait; no other kernel changes. */
    @Test
    void kernelsThatWaitAreCompiledAsAmdsDriverDoes() throws IOException {
        assertEquals(0, run(compiler(0), "--target", "gfx906"), err.toString());
        int waiting = 0;
        for (String command : Files.readAllLines(folder.resolve("commands"))) {
            boolean waits = command.contains("RESIDENT_K=");
            waiting += waits ? 1 : 0;
            assertEquals(waits, command.contains(" -cl-std=CL2.0 -D DEVICE_ATOMICS=1 "), command);
            assertEquals(!waits, command.contains(" -cl-std=CL1.2 "), command);
            assertTrue(command.endsWith(waits ? " 1" : " 0"), command);
        }
        assertTrue(waiting > 0);
    }

    @Test
    void aBrokenLimitIsExitCode1() throws IOException {
        Path json = folder.resolve("audit.json");
        assertEquals(1, run(compiler(3), "--target", "gfx906", "--json", json.toString()));
        assertTrue(
                err.toString().contains("limit broken: lstm_step (fused 4x16) on gfx906: expected no spills, found 3"),
                err.toString());
        assertTrue(Files.readString(json).contains("expected no spills, found 3"));
    }

    @Test
    void aCompilerThatFailsIsExitCode1() throws IOException {
        Path script = Files.writeString(folder.resolve("broken"), "#!/bin/sh\necho 'no such target' >&2\nexit 4\n");
        assertTrue(script.toFile().setExecutable(true));
        assertEquals(1, run(script.toString(), "--target", "gfx906"));
        assertTrue(err.toString().contains("no such target"), err.toString());
    }

    @Test
    void wrongArgumentsAreExitCode2() throws IOException {
        assertEquals(2, run(compiler(0), "--target", "gfx1"));
        assertTrue(err.toString().contains("expected one of gfx906, gfx90a"), err.toString());
        assertEquals(2, run(compiler(0), "--target", "gfx906", "--check", "page.md"));
        assertEquals(2, run(compiler(0), "--no-such-option"));
        assertTrue(err.toString().contains("; see bench/audit-kernels --help"), err.toString());
    }
}
