package io.github.cellfuse.opencl.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.cellfuse.CellFuseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The names of the parameters, of every kernel as every combination of build options compiles it. */
class SignaturesTest {
    private static final String STEP =
            "x y w bias p c h active row_pitch x_first x_stride inputs y_stride recurrent_inputs"
                    + " units h_slot_rows h_stride first_reverse longest first_step last_step";
    private static final String INPUT_PROJECTION =
            "x p w bias active row_pitch x_first x_stride inputs recurrent_inputs"
                    + " first_reverse longest first_step last_step blocks";
    private static final String STATE =
            "state y c arrivals order lengths row_pitch y_stride outputs units first_reverse"
                    + " state_rows h_first c_first";
    private static final String CELL = "a c h active row_pitch units h_slot_rows h_stride first_reverse longest";

    private static final Map<String, String> EXPECTED = Map.ofEntries(
            Map.entry("lstm_activations", "x s t"),
            Map.entry("lstm_cell", CELL),
            Map.entry("lstm_cell_function", "x y alpha beta"),
            Map.entry("lstm_copy", "from to"),
            Map.entry("lstm_fma_peak", "out x n"),
            Map.entry(
                    "lstm_hidden_projection",
                    "m s h active m_stride units outputs h_slot_rows h_stride first_reverse longest"),
            Map.entry("lstm_clock", "now"),
            Map.entry("lstm_input_projection", INPUT_PROJECTION),
            Map.entry("lstm_input_projection_tiled", INPUT_PROJECTION),
            Map.entry("lstm_load_state", STATE + " given first_place places"),
            Map.entry("lstm_load_weights", "stored loaded"),
            Map.entry("lstm_nothing", "out n"),
            Map.entry("lstm_read", "from out vectors passes"),
            Map.entry(
                    "lstm_sequence",
                    STEP + " s history projected row_groups unit_groups first_direction arrivals"
                            + " patience step_patience"),
            Map.entry("lstm_sequence_persistent", STEP + " arrivals patience step_patience"),
            Map.entry("lstm_sequence_registers", STEP + " by_column"),
            Map.entry("lstm_sequence_tiled", STEP + " recurrent"),
            Map.entry("lstm_step", STEP),
            Map.entry("lstm_step_narrow", STEP),
            Map.entry("lstm_step_tiled", STEP),
            Map.entry("lstm_store_state", STATE + " places"));

    private static final Pattern KERNEL = Pattern.compile("__kernel (?:GROUP_SIZE )?void (\\w+)\\(");

    @ParameterizedTest
    @EnumSource(KernelSource.class)
    void everyKernelHasTheseParametersWithAllOptions(KernelSource source) {
        List<String> texts = source.texts();
        List<String> kernels = KERNEL.matcher(String.join("\n", texts))
                .results()
                .map(result -> result.group(1))
                .toList();
        for (String options : options()) {
            Signatures signatures = new Signatures(texts, options);
            for (String kernel : kernels) {
                String expected = EXPECTED.get(kernel);
                if (kernel.equals("lstm_cell") && options.contains("PEEPHOLES=1")) {
                    expected += " bias";
                }
                assertEquals(expected, String.join(" ", signatures.parameters(kernel)), kernel + " with " + options);
            }
        }
    }

    @Test
    void noKernelIsLeftOut() {
        Set<String> kernels = new HashSet<>();
        for (KernelSource source : KernelSource.values()) {
            KERNEL.matcher(String.join("\n", source.texts())).results().forEach(result -> kernels.add(result.group(1)));
        }
        assertEquals(EXPECTED.keySet(), kernels);
    }

    /** All combinations of the options that an {@code #if} asks for, in tiles of each kind. */
    private static List<String> options() {
        List<Tile> tiles = List.of(
                Tile.of(1, 2),
                new Tile(4, 6, 2, 4, false, true),
                Tile.of(16, 3),
                Tile.staged(8, new Staging(8, 16, 8)),
                Tile.staged(4, new Staging(2, 4, 4)),
                Tile.staged(2, Staging.narrow(8, 16, 64)),
                Tile.staged(2, Staging.persistent(4, 8, 32, 64)),
                Tile.staged(2, Staging.inRegisters(2, 4, 16, 16)));
        List<String> cells = Stream.of("", " -D FIRST_GATE=f_elu", " -D FIRST_GATE=f_elu -D SECOND_GATE=f_relu")
                .flatMap(cell -> Stream.of(cell, cell + " -D PEEPHOLES=1"))
                .toList();
        List<String> all = new ArrayList<>();
        for (Tile tile : tiles) {
            for (int hoistedAndFused = 0; hoistedAndFused < 4; hoistedAndFused++) {
                Tile variant = tile.withHoisted(hoistedAndFused % 2 == 1).withFused(hoistedAndFused / 2 == 1);
                for (String weights : List.of("", " -D WEIGHTS_F16", " -D WEIGHTS_BF16")) {
                    cells.forEach(cell -> all.add(variant.options() + weights + cell));
                    DeviceAtomics atomics = new DeviceAtomics("CL3.0", true);
                    cells.forEach(cell -> all.add(atomics.options() + variant.options() + weights + cell));
                }
            }
        }
        return all;
    }

    /** A parameter's name, whatever stands around it. */
    @Test
    void parametersAreReadAsTheCompilerReadsThem() {
        String source = """
                #define GROUP(n) __attribute__((reqd_work_group_size(n, 1, 1)))
                #define SIZES /* two, */ int rows, /* (units) */ \
                    int units
                #define ALL SIZES, __global float *restrict y
                // __kernel void k(int in_a_comment);
                inline void k_helper(int a) {}
                __kernel GROUP(64) void k(__global const float* restrict x,  // k(int)
                    ALL
                #if WIDE > 1 && !defined NARROW
                    , int wide
                #elif defined(NARROW)
                    , int narrow
                #else
                    , int neither
                #endif
                    , __local float4*scratch, const int \
                  last) { k_helper(rows); }
                kernel void nothing(void) {}
                kernel void empty() {}
                """;
        assertEquals("x rows units y wide scratch last", names(source, "-D WIDE=2"));
        assertEquals("x rows units y narrow scratch last", names(source, "-DWIDE=2 -D NARROW"));
        assertEquals("x rows units y narrow scratch last", names(source, "-D NARROW=1"));
        assertEquals("x rows units y neither scratch last", names(source, ""));
        assertEquals(List.of(), new Signatures(List.of(source), "").parameters("nothing"));
        assertEquals(List.of(), new Signatures(List.of(source), "").parameters("empty"));
        assertEquals(List.of("k", "nothing", "empty"), new Signatures(List.of(source), "").kernels());
    }

    private static String names(String source, String options) {
        return String.join(" ", new Signatures(List.of(source), options).parameters("k"));
    }

    @Test
    void sourcesAreOneText() {
        Signatures signatures = new Signatures(
                List.of("#define A int first,\n#define B\n", "#ifdef B\n__kernel void k(A int second) {}\n#endif\n"),
                "");
        assertEquals(List.of("first", "second"), signatures.parameters("k"));
        String undefined =
                "#define A 1\n#undef A\n#ifndef A\n__kernel void k(int a) {}\n#else\n__kernel void k(int b) {}\n#endif";
        assertEquals(List.of("a"), new Signatures(List.of(undefined), "").parameters("k"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "1; true",
                "0; false",
                "UNKNOWN; false",
                "!UNKNOWN; true",
                "FOUR == 4; true",
                "FOUR != 4; false",
                "FOUR * 2 + 1 == 9; true",
                "1 + 2 * FOUR == 9; true",
                "(1 + 2) * FOUR == 12; true",
                "10 - 3 - 2 == 5; true",
                "FOUR % 3 || 0; true",
                "FOUR / 3 > 1; false",
                "FOUR < 4 || FOUR >= 5; false",
                "FOUR <= 4 && -1 < +0; true",
                "0x10u == 16; true",
                "defined(FOUR) && !defined UNKNOWN; true",
                "NESTED == 8; true"
            })
    void conditionsAreThoseOfC(String condition, boolean holds) {
        String source = "#define FOUR 4\n#define NESTED (FOUR + FOUR)\n#if " + condition
                + "\n__kernel void k(int yes) {}\n#else\n__kernel void k(int no) {}\n#endif\n";
        assertEquals(holds ? "yes" : "no", names(source, ""));
    }

    @Test
    void nestedConditionalsEndWhereTheyBegan() {
        String source = """
                #if 0
                # if 1
                __kernel void k(int a) {}
                # elif 1
                __kernel void k(int b) {}
                # else
                __kernel void k(int c) {}
                # endif
                #define SKIPPED 1
                #elif 1
                # ifdef SKIPPED
                __kernel void k(int d) {}
                # endif
                __kernel void k(int e) {}
                #elif 1
                __kernel void k(int f) {}
                #endif
                """;
        assertEquals("e", names(source, ""));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "#if 1 +\n#endif",
                "#if (1\n#endif",
                "#if 1 ? 2 : 3\n#endif",
                "#if 1 2\n#endif",
                "#if 1 / 0\n#endif",
                "#if 09\n#endif",
                "#endif",
                "#define (",
                "__kernel void other(int k) {}",
                "__kernel void k(int a",
                "__kernel void k(int a, ) {}"
            })
    void whatCannotBeReadIsAnError(String source) {
        CellFuseException e = assertThrows(CellFuseException.class, () -> names(source, ""));
        assertEquals(true, e.getMessage().contains("kernel"), e.getMessage());
    }
}
