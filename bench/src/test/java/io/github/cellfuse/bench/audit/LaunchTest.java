package io.github.cellfuse.bench.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LaunchTest {
    static List<KernelVariant> variants() {
        return KernelVariant.gpu();
    }

    /** A kernel with a new parameter needs a value here. */
    @ParameterizedTest
    @MethodSource("variants")
    void hasAValueForEveryParameter(KernelVariant variant) {
        Launch launch = Launch.of(variant);
        assertTrue(launch.parameters().contains("active"), launch.parameters().toString());
        Matcher pointer = Pattern.compile("__global [^;()]*?\\*\\s*(?:restrict\\s+)?(\\w+)")
                .matcher(variant.text());
        List<String> pointers = pointer.results().map(each -> each.group(1)).toList();
        for (int index = 0; index < launch.parameters().size(); index++) {
            if (!pointers.contains(launch.parameters().get(index))) {
                assertTrue(launch.argument(index, false) >= 0);
            }
        }
    }

    @Test
    void aGroupHasTheSizeOfTheOptions() {
        KernelVariant narrow = PtxText.variant("lstm_step_narrow");
        Launch launch = Launch.of(narrow);
        assertEquals(8, launch.units());
        assertEquals(16, launch.rows());
        assertEquals(List.of("x", "units"), launch.parameters());
        assertEquals(128, launch.argument(1, false));
        assertTrue(launch.argument(0, true) >= 1L << 40);
    }

    @Test
    void namesAParameterWithoutAValue() {
        KernelVariant strange = new KernelVariant(
                "lstm_step", "1x1", List.of("__kernel void lstm_step(int strange) {}"), "", 0, 0, 1, 1);
        AuditException e =
                assertThrows(AuditException.class, () -> Launch.of(strange).argument(0, false));
        assertTrue(e.getMessage().contains("strange"), e.getMessage());
    }
}
