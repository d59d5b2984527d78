package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WarpTest {
    private static final String KERNEL = "lstm_step_narrow";

    private static final KernelVariant VARIANT = PtxText.variant(KERNEL);

    private static final String WIDE = "ld.global.nc.v4.f32 {%f5, %f6, %f7, %f8}, [%rd2]";

    /** A group has 8 work-items in dimension 0, so a warp has 4 in dimension 1. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // neighbors read neighboring vectors, every row the same ones
                "mul.wide.u32 %rd3, %r1, 16; add.s64 %rd2, %rd1, %rd3; | 1 | 1×16 B coalesced",
                // one vector of four of each block
                "mul.wide.u32 %rd3, %r1, 64; add.s64 %rd2, %rd1, %rd3; | 2 | 1×16 B stride 64",
                // a row of 1024 bytes for each lane
                "shl.b32 %r3, %r1, 10; cvt.u64.u32 %rd3, %r3; add.s64 %rd2, %rd1, %rd3; | 2 | 1×16 B stride 1024",
                "mov.u64 %rd2, %rd1; | 1 | 1×16 B broadcast",
                // rows of dimension 1
                "mul.wide.u32 %rd3, %r2, 256; add.s64 %rd2, %rd1, %rd3; | 2 | 1×16 B stride 0"
            })
    void seesWhichAddressesLanesAskForTogether(String address, double sectors, String loads) {
        String text = PtxText.staged(KERNEL, address.replace("; ", ";\n\t"), WIDE);
        Loops loops = PtxText.result(VARIANT, text).loops();
        Requests around = loops.requestsAround().orElseThrow();
        assertEquals(sectors, around.sectorsPerNeeded().orElseThrow());
        assertEquals(loads, around.loads());
        assertTrue(loops.requests().orElseThrow().sectorsPerNeeded().isEmpty());
    }

    @Test
    void countsWhatRuns() {
        Loops loops = PtxText.result(VARIANT, PtxText.staged(KERNEL, "mov.u64 %rd2, %rd1;", WIDE))
                .loops();
        assertEquals(1, loops.iterationK());
        assertEquals("1:1:0:2:1", loops.ofK().orElseThrow().toString());
        assertEquals("0:0:1:2:2", loops.ofAround().orElseThrow().toString());
        // two stages of three k
        assertEquals("1:1:0.3:2.7:1.7", loops.executedOfK().orElseThrow().toString());
    }

    @Test
    void lanesMayTakeDifferentBranches() {
        String text = PtxText.staged(KERNEL, """
                setp.lt.u32 %p3, %r1, 4;
                	@%p3 bra $L__near;
                	mul.wide.u32 %rd3, %r1, 1024;
                	bra.uni $L__join;
                $L__near:
                	mul.wide.u32 %rd3, %r1, 16;
                $L__join:
                	add.s64 %rd2, %rd1, %rd3;
                """, "@!%p3 " + WIDE);
        Execution all = Warp.run(text, VARIANT);
        Access far = all.requests().accesses().values().iterator().next().get(0);
        assertEquals(4, far.sectors()); // lanes 4 to 7; the rows read the same
        assertEquals(2, far.fewest());
        assertEquals(1024, far.stride());
    }

    @Test
    void integersFromMemoryAreTheBatch() {
        String text = PtxText.staged(
                KERNEL,
                "ld.global.nc.u32 %r4, [%rd1];\n\tmul.wide.s32 %rd3, %r4, %r1;\n\tadd.s64 %rd2, %rd1, %rd3;",
                WIDE);
        assertEquals(
                "1×16 B stride " + Launch.BATCH,
                PtxText.result(VARIANT, text)
                        .loops()
                        .requestsAround()
                        .orElseThrow()
                        .loads());
    }

    /** No flag is set, and a counter is higher than the groups of a step. */
    @Test
    void nobodyWaits() {
        String found = """
                // begin inline asm
                	red.release.gpu.global.add.u32 [%rd1], 1;
                	// end inline asm
                	mov.u64 %rd5, %globaltimer;
                	atom.global.or.b32 %r3, [%rd1], 0;
                $L__wait:
                	ld.acquire.gpu.global.u32 %r4, [%rd1];
                	setp.lt.s32 %p3, %r4, 32;
                	@%p3 bra $L__wait;
                	shl.b32 %r3, %r3, 4;
                	mul.wide.u32 %rd3, %r1, 16;
                	add.s64 %rd2, %rd1, %rd3;
                	cvt.u64.u32 %rd3, %r3;
                	add.s64 %rd2, %rd2, %rd3;
                	add.s64 %rd2, %rd2, %rd5;
                """;
        assertEquals(
                "1×16 B coalesced",
                PtxText.result(VARIANT, PtxText.staged(KERNEL, found, WIDE))
                        .loops()
                        .requestsAround()
                        .orElseThrow()
                        .loads());
    }

    @Test
    void refusesWhatItCannotRun() {
        String endless = PtxText.staged(KERNEL, "mov.u64 %rd2, %rd1;", WIDE).replace("%p2, %r8, 2;", "%p2, %r8, -1;");
        AuditException loop = assertThrows(AuditException.class, () -> Warp.run(endless, VARIANT));
        assertTrue(loop.getMessage().contains("don't end it"), loop.getMessage());
        String unknown = PtxText.staged(KERNEL, "prmt.b32 %r3, %r1, %r1, %r1;", WIDE);
        AuditException operation = assertThrows(AuditException.class, () -> Warp.run(unknown, VARIANT));
        assertTrue(operation.getMessage().contains("prmt.b32"), operation.getMessage());
        String unset = PtxText.staged(KERNEL, "add.s64 %rd2, %rd1, %rd77;", WIDE);
        AuditException register = assertThrows(AuditException.class, () -> Warp.run(unset, VARIANT));
        assertTrue(register.getMessage().contains("%rd77"), register.getMessage());
        String parameter = PtxText.staged(KERNEL, "ld.param.u32 %r3, [" + KERNEL + "_param_2];", WIDE);
        AuditException missing = assertThrows(AuditException.class, () -> Warp.run(parameter, VARIANT));
        assertTrue(missing.getMessage().contains("expected 2 parameters"), missing.getMessage());
    }

    @Test
    void amdHasNoExecution() {
        KernelVariant tiled = Variants.tiled("lstm_step_tiled", 128, 128);
        Loops loops =
                Variants.amd(tiled, AmdText.kernel("lstm_step_tiled", 60, 0)).loops();
        assertEquals(Optional.empty(), loops.executedOfK());
        assertEquals(Optional.empty(), loops.requests());
    }
}
