package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import io.github.cellfuse.bench.audit.Instruction.Sum;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads LLVM's assembly text for AMD GPUs. */
final class AmdAssembly {
    private static final Pattern LABEL = Pattern.compile("(\\.?\\w+):.*");

    /** A field of a kernel in the metadata at the end of the text. The fields of its arguments are indented further. */
    private static final Pattern FIELD = Pattern.compile("(?m)^    \\.(\\w+): +(\\d+)$");

    private static final Pattern ENCODING = Pattern.compile("_(e32|e64|dpp|dpp8|sdwa|e64_dpp)$");

    private static final Pattern FMA = Pattern.compile("v_(pk_|dual_)?fma(c|ak|mk)?_f32");

    /** {@code dwordx4}, {@code b128} or {@code ushort} at the end of a load's or a store's name. */
    private static final Pattern WIDTH = Pattern.compile(
            ".*_(?:dword(?:x(?<words>\\d))?|[bfiu](?<bits>\\d+)|[us]?(?<small>byte|short)(?:_d16(?:_hi)?)?)");

    /**
     * Two values from two addresses: {@code ds_read2_b64}, {@code ds_read2st64_b32},
     * {@code ds_load_2addr_stride64_b32}.
     */
    private static final Pattern TWICE = Pattern.compile("ds_.*(?:2_b|2st64_b|_2addr_).*");

    private AmdAssembly() {}

    static KernelCode parse(String text, String kernel) {
        return new KernelCode(new ControlFlow(lines(text, kernel)), resources(text, kernel));
    }

    private static List<Line> lines(String text, String kernel) {
        List<Line> lines = new ArrayList<>();
        boolean inside = false;
        for (String raw : text.split("\n")) {
            String line = withoutComment(raw);
            Matcher label = LABEL.matcher(line);
            if (label.matches()) {
                if (inside && label.group(1).startsWith(".Lfunc_end")) {
                    return lines;
                }
                inside |= label.group(1).equals(kernel);
                if (inside) {
                    lines.add(new Line.Label(label.group(1)));
                }
            } else if (inside && !line.isEmpty() && !line.startsWith(".")) {
                lines.add(instruction(line));
            }
        }
        throw new AuditException("the assembly has no kernel " + kernel);
    }

    private static String withoutComment(String line) {
        int comment = line.indexOf(';');
        return (comment < 0 ? line : line.substring(0, comment)).trim();
    }

    static Instruction instruction(String line) {
        String[] words = line.split("\\s+", 2);
        String name = ENCODING.matcher(words[0]).replaceFirst("");
        String operands = words.length > 1 ? words[1] : "";
        if (name.startsWith("v_")) {
            return vector(name, line);
        }
        if (name.startsWith("ds_")) {
            boolean load = name.startsWith("ds_read") || name.startsWith("ds_load");
            return Instruction.memory(name, load ? Kind.LOCAL_LOAD : Kind.LOCAL_STORE, bytes(name));
        }
        if (name.startsWith("scratch_") || name.startsWith("buffer_") && operands.contains("s[0:3]")) {
            return Instruction.memory(name, Kind.SCRATCH, bytes(name));
        }
        if (name.startsWith("global_") || name.startsWith("flat_") || name.startsWith("buffer_")) {
            if (name.contains("_load") || name.contains("_store")) {
                Kind kind = name.contains("_load") ? Kind.GLOBAL_LOAD : Kind.GLOBAL_STORE;
                return Instruction.memory(name, kind, bytes(name));
            }
            return Instruction.other(name); // atomics, and control of the cache
        }
        return switch (name) {
            case "s_branch" -> Instruction.jump(name, operands, false);
            case "s_endpgm" -> Instruction.end(name, false);
            default -> name.startsWith("s_cbranch") ? Instruction.jump(name, operands, true) : Instruction.other(name);
        };
    }

    /** RDNA 3 pairs two operations in one instruction: {@code v_dual_fmac_f32 v1, v2, v3 :: v_dual_mov_b32 v4, v5}. */
    private static Instruction vector(String name, String line) {
        String[] parts = line.split("::");
        int fmas = 0, operations = 0;
        List<Sum> sums = new ArrayList<>();
        for (String part : parts) {
            String[] words = part.trim().split("\\s+", 2);
            String operation = ENCODING.matcher(words[0]).replaceFirst("");
            Matcher fma = FMA.matcher(operation);
            boolean packed = fma.matches() && "pk_".equals(fma.group(1));
            operations += packed ? 2 : 1;
            if (fma.matches()) {
                fmas += packed ? 2 : 1;
                String[] operand = words[1].split(",\\s*");
                boolean accumulates = operation.contains("fmac");
                sums.add(new Sum(
                        operand[0], accumulates ? operand[0] : operand[3].split("\\s")[0]));
            }
        }
        return Instruction.vector(name, operations, fmas, sums);
    }

    private static int bytes(String name) {
        Matcher width = WIDTH.matcher(name);
        if (!width.matches()) {
            return 0;
        }
        if (width.group("bits") != null) {
            int bytes = Integer.parseInt(width.group("bits")) / 8;
            return TWICE.matcher(name).matches() ? 2 * bytes : bytes;
        }
        if (width.group("small") != null) {
            return width.group("small").equals("byte") ? 1 : 2;
        }
        return width.group("words") == null ? 4 : 4 * Integer.parseInt(width.group("words"));
    }

    private static Resources resources(String text, String kernel) {
        int start = text.indexOf("amdhsa.kernels:");
        Pattern name = Pattern.compile("(?m)^    \\.name: +" + Pattern.quote(kernel) + "$");
        for (String entry : text.substring(Math.max(0, start)).split("(?m)^  - ")) {
            if (name.matcher(entry).find()) {
                // The first field of an entry follows the dash.
                Map<String, Integer> fields = FIELD.matcher("    " + entry)
                        .results()
                        .collect(Collectors.toMap(
                                field -> field.group(1), field -> Integer.valueOf(field.group(2)), (a, b) -> a));
                return new Resources(
                        OptionalInt.of(fields.get("vgpr_count")),
                        OptionalInt.of(fields.get("sgpr_count")),
                        OptionalInt.of(fields.get("vgpr_spill_count")),
                        OptionalInt.of(fields.get("sgpr_spill_count")),
                        fields.get("private_segment_fixed_size"),
                        fields.get("group_segment_fixed_size"));
            }
        }
        throw new AuditException("the assembly has no metadata of kernel " + kernel);
    }
}
