package io.github.cellfuse.format.npy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class NumericOrderTest {

    private static void assertOrder(String... names) {
        List<String> shuffled = new ArrayList<>(List.of(names));
        Collections.shuffle(shuffled, new Random(1));
        shuffled.sort(NumericOrder.INSTANCE);
        assertEquals(List.of(names), shuffled);
    }

    @Test
    void numbersCountByTheirValue() {
        assertOrder("part-0.npy", "part-1.npy", "part-2.npy", "part-10.npy", "part-100.npy");
        assertOrder("2.npy", "10.npy", "a.npy");
        assertOrder("a1b2.npy", "a1b10.npy", "a2b1.npy");
        String large = "9".repeat(40); // more than a long holds
        assertOrder("x" + large.substring(1), "x" + large, "x1" + large);
    }

    @Test
    void namesWithLeadingZerosKeepTheirPlainOrder() {
        assertOrder("part-0001.npy", "part-0002.npy", "part-0010.npy", "part-9999.npy", "part-10000.npy");
        assertOrder("a01.npy", "a1.npy", "a002.npy", "a2.npy");
    }

    @Test
    void isATotalOrder() {
        Random random = new Random(5);
        String[] names = new String[60];
        Arrays.setAll(
                names,
                k -> random.ints(random.nextInt(5), 0, 6)
                        .mapToObj("0129a-"::charAt)
                        .map(String::valueOf)
                        .collect(Collectors.joining()));
        for (String a : names) {
            for (String b : names) {
                int order = Integer.signum(NumericOrder.INSTANCE.compare(a, b));
                assertEquals(-order, Integer.signum(NumericOrder.INSTANCE.compare(b, a)), () -> a + " and " + b);
                assertEquals(a.equals(b), order == 0, () -> a + " and " + b);
                for (String c : names) {
                    if (order < 0 && NumericOrder.INSTANCE.compare(b, c) < 0) {
                        assertTrue(NumericOrder.INSTANCE.compare(a, c) < 0, () -> a + ", " + b + ", " + c);
                    }
                }
            }
        }
    }
}
