package io.github.cellfuse.bench.audit;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the resources that {@code ptxas -v} reports for a kernel. */
final class PtxasReport {
    private static final Pattern STACK =
            Pattern.compile("(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
    private static final Pattern USED = Pattern.compile("Used (\\d+) registers(.*)");
    private static final Pattern LOCAL = Pattern.compile("(\\d+) bytes smem");

    private PtxasReport() {}

    static Resources parse(String text, String kernel) {
        int start = text.indexOf("Compiling entry function '" + kernel + "'");
        int end = text.indexOf("Compiling entry function", start + 1);
        String part = start < 0 ? "" : text.substring(start, end < 0 ? text.length() : end);
        Matcher stack = STACK.matcher(part), used = USED.matcher(part);
        if (!stack.find() || !used.find()) {
            throw new AuditException("ptxas reports nothing about kernel " + kernel);
        }
        Matcher local = LOCAL.matcher(used.group(2));
        return new Resources(
                OptionalInt.of(Integer.parseInt(used.group(1))),
                OptionalInt.empty(),
                OptionalInt.of(Integer.parseInt(stack.group(2)) + Integer.parseInt(stack.group(3))),
                OptionalInt.empty(),
                Integer.parseInt(stack.group(1)),
                local.find() ? Integer.parseInt(local.group(1)) : 0);
    }
}
