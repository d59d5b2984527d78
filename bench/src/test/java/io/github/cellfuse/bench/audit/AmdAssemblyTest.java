package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmdAssemblyTest {
    @Test
    void countsTheLoop() {
        KernelCode code = AmdAssembly.parse(AmdText.kernel("lstm_step", 115, 2), "lstm_step");
        Mix loop = code.flow().innerLoop().orElseThrow().mix();
        assertEquals(5, loop.fmas());
        assertEquals(7, loop.vectorOperations());
        assertEquals(6, loop.vectorInstructions());
        assertEquals(10, loop.issued());
        assertEquals(4, loop.chains()); // v20, v21 and the pair v[22:23]
        assertEquals("1×ds_read_b128", loop.accesses(Kind.LOCAL_LOAD, Kind.LOCAL_STORE));
        assertEquals("1×global_load_dwordx4", loop.accesses(Kind.GLOBAL_LOAD));
        assertEquals(OptionalInt.of(16), loop.narrowestLocalLoad());
        assertEquals(4, loop.fmaInstructions());
        assertEquals(5.0 / 11, loop.issueShare(), 1e-9);
        assertEquals(16.0 / 5, loop.localBytesPerFma(), 1e-9);
    }

    @Test
    void readsTheMetadata() {
        Resources needs = AmdAssembly.parse(AmdText.kernel("lstm_step", 115, 2), "lstm_step")
                .resources();
        assertEquals(
                new Resources(OptionalInt.of(115), OptionalInt.of(28), OptionalInt.of(2), OptionalInt.of(3), 16, 1024),
                needs);
    }

    @Test
    void namesAMissingKernel() {
        String text = AmdText.kernel("lstm_step", 1, 0);
        AuditException e = assertThrows(AuditException.class, () -> AmdAssembly.parse(text, "lstm_cell"));
        assertTrue(e.getMessage().contains("lstm_cell"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "ds_read_b32 v1 v2,                    LOCAL_LOAD,  4",
        "ds_read2_b32 v[1:2] v3,               LOCAL_LOAD,  8",
        "ds_read2st64_b64 v[1:4] v3,           LOCAL_LOAD,  16",
        "ds_read_b96 v[1:3] v3,                LOCAL_LOAD,  12",
        "ds_load_2addr_b32 v[1:2] v3,          LOCAL_LOAD,  8",
        "ds_load_2addr_stride64_b32 v[1:2] v3, LOCAL_LOAD,  8",
        "ds_load_b128 v[1:4] v3,               LOCAL_LOAD,  16",
        "ds_write_b128 v3 v[1:4],              LOCAL_STORE, 16",
        "ds_store_2addr_b64 v3 v[1:2] v[4:5],  LOCAL_STORE, 16",
        "global_load_dword v1 v2,              GLOBAL_LOAD, 4",
        "global_load_b64 v[1:2] v2,            GLOBAL_LOAD, 8",
        "global_store_dwordx3 v1 v[2:4],       GLOBAL_STORE, 12",
        "flat_load_dwordx2 v[1:2] v[3:4],      GLOBAL_LOAD, 8",
        "global_load_ushort v1 v2,             GLOBAL_LOAD, 2",
        "global_load_u16 v1 v2,                GLOBAL_LOAD, 2",
        "scratch_load_dwordx4 v[1:4] off,      SCRATCH,     16",
        "buffer_store_dword v1 off s[0:3],     SCRATCH,     4",
        "s_load_dwordx4 s[0:3] s[4:5],         OTHER,       0",
        "global_atomic_or v1 v2,               OTHER,       0",
        "v_add_u32_e32 v1 v2,                  VECTOR,      0"
    })
    void knowsWhatAnInstructionMoves(String line, Kind kind, int bytes) {
        Instruction instruction = AmdAssembly.instruction(line);
        assertEquals(kind, instruction.kind());
        assertEquals(bytes, instruction.bytes());
    }

    @Test
    void countsBothHalvesOfAPair() {
        Instruction two = AmdAssembly.instruction("v_dual_fmac_f32 v1, v2, v3 :: v_dual_fmac_f32 v4, v5, v6");
        assertEquals(2, two.fmas());
        assertEquals(2, two.operations());
        Instruction one = AmdAssembly.instruction("v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, v5");
        assertEquals(1, one.fmas());
        assertEquals(2, one.operations());
    }
}
