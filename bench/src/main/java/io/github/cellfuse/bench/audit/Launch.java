package io.github.cellfuse.bench.audit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The sizes and arguments with which {@link Warp} runs a kernel: two steps of a layer whose tiles are all whole, so
 * that no work-item is beyond an edge. Immutable.
 *
 * @param units work-items of a group in dimension 0
 * @param rows work-items of a group in dimension 1
 * @param parameters the kernel's parameters, in order
 * @param values the values of its integers, by name
 */
record Launch(int units, int rows, List<String> parameters, Map<String, Integer> values) {
    /** Rows of the batch, all of which have both steps: what a load of an integer ({@code active}) gives. */
    static final int BATCH = 256;

    /** Groups in a dimension. */
    static final int GROUPS = 32;

    private static final int VEC = 4, UNITS = GROUPS * VEC;

    /** Buffers are as far from each other as none is large. */
    private static final int BUFFER_BITS = 40;

    static Launch of(KernelVariant variant) {
        // A group without a size of its own is a warp, along dimension 0.
        int units = variant.workGroup() == 0 ? Warp.LANES : macro(variant, "WG_UNITS");
        int rows = variant.workGroup() == 0 ? 1 : macro(variant, "WG_ROWS");
        int layer = switch (variant.kernel()) {
            case "lstm_sequence_tiled" -> VEC * units; // a group has all units
            case "lstm_sequence_registers" -> variant.columns() / VEC; // a group has all units
            case "lstm_sequence" -> UNITS / 4; // a work-item has all units, and takes long
            default -> UNITS;
        };
        Map<String, Integer> values = new HashMap<>(Map.of("first_reverse", 1, "longest", 2));
        values.putAll(Map.of("first_step", 1, "last_step", 2, "x_first", 1));
        values.putAll(Map.of("row_pitch", BATCH, "h_slot_rows", BATCH, "blocks", layer / VEC));
        Stream.of("inputs", "recurrent_inputs", "units", "outputs", "x_stride", "y_stride", "h_stride", "m_stride")
                .forEach(name -> values.put(name, layer));
        // Of lstm_sequence: neighbors have neighboring rows, and nobody waits.
        values.putAll(Map.of("projected", 0, "row_groups", BATCH / VEC, "unit_groups", 1, "first_direction", 0));
        values.putAll(Map.of("patience", 0, "step_patience", 0));
        return new Launch(units, rows, parameters(variant), values);
    }

    private static int macro(KernelVariant variant, String name) {
        Matcher definition = Pattern.compile("-D " + name + "=(\\d+)").matcher(variant.options());
        if (!definition.find()) {
            throw new AuditException(variant + ": its options don't define " + name);
        }
        return Integer.parseInt(definition.group(1));
    }

    /** Returns the names in the kernel's head. */
    private static List<String> parameters(KernelVariant variant) {
        String text = variant.text().replaceAll("//.*", "").replace("\\\n", " ").replaceAll("/\\*.*?\\*/", "");
        Matcher head = Pattern.compile("(?s)__kernel (?:GROUP_SIZE )?void " + variant.kernel() + "\\(([^)]*)\\)")
                .matcher(text);
        Matcher shared =
                Pattern.compile("#define STEP_PARAMETERS (.*) TRACE_PARAMETERS").matcher(text);
        if (!head.find()) {
            throw new AuditException(variant + ": its source has no such kernel");
        }
        String list = head.group(1)
                .replace("STEP_PARAMETERS", shared.find() ? shared.group(1) : "")
                .replaceAll("(?s)#if.*?#endif|TRACE_PARAMETERS", "");
        return Stream.of(list.split(","))
                .map(each -> each.trim().replaceFirst("(?s).*\\W", ""))
                .toList();
    }

    /**
     * Returns the value of the kernel's {@code index}-th parameter.
     *
     * @param pointer whether it is a buffer, and not an integer
     */
    long argument(int index, boolean pointer) {
        if (index >= parameters.size()) {
            throw new AuditException("expected " + parameters.size() + " parameters, found number " + (index + 1));
        }
        if (pointer) {
            return index + 1L << BUFFER_BITS;
        }
        Integer value = values.get(parameters.get(index));
        if (value == null) {
            throw new AuditException("no value for the parameter " + parameters.get(index) + "; Launch has them");
        }
        return value;
    }
}
