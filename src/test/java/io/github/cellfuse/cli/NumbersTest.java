package io.github.cellfuse.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class NumbersTest {
    @Test
    void areShort() {
        assertEquals("1 row", Numbers.count(1, "row"));
        assertEquals("0 rows", Numbers.count(0, "row"));
        assertEquals("1025000", Numbers.rate(1025000));
        assertEquals("10.8", Numbers.rate(10.81));
        assertEquals("0.036", Numbers.rate(0.03638));
        assertEquals("1023 B", Numbers.bytes(1023));
        assertEquals("51.0 KiB", Numbers.bytes(52224));
        assertEquals("8192.0 PiB", Numbers.bytes(Long.MAX_VALUE));
    }
}
