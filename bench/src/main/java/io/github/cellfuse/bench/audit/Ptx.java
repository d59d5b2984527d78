package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import io.github.cellfuse.bench.audit.Instruction.Sum;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads PTX, NVIDIA's assembly language before register allocation. Its loads, stores and multiply-adds are close to
 * what runs; its address arithmetic is less so, because ptxas folds part of it into the loads.
 */
final class Ptx {
    private static final Pattern LABEL = Pattern.compile("(\\$\\w+):");

    /** {@code .shared .align 16 .b8 name[16640];} and {@code .local .align 16 .b8 __local_depot2[16];} */
    private static final Pattern ARRAY =
            Pattern.compile("\\.(shared|local) (?:\\.align \\d+ )?\\.b8\\s+[\\w$]+\\[(\\d+)];");

    private static final Pattern INSTRUCTION = Pattern.compile("(@!?%\\w+\\s+)?([a-z][\\w.:]*)\\s*(.*);");

    private static final Pattern TYPE = Pattern.compile("\\.[a-z]+(\\d+)$");

    private Ptx() {}

    static KernelCode parse(String text, String kernel) {
        String body = body(text, kernel);
        List<Line> lines = new ArrayList<>();
        int local = 0, scratch = 0;
        for (String raw : body.split("\n")) {
            String line = raw.replaceFirst("//.*", "").trim();
            Matcher label = LABEL.matcher(line), array = ARRAY.matcher(line), instruction = INSTRUCTION.matcher(line);
            if (label.matches()) {
                lines.add(new Line.Label(label.group(1)));
            } else if (array.matches()) {
                int bytes = Integer.parseInt(array.group(2));
                local += array.group(1).equals("shared") ? bytes : 0;
                scratch += array.group(1).equals("local") ? bytes : 0;
            } else if (instruction.matches()) {
                lines.add(instruction(instruction.group(1) != null, instruction.group(2), instruction.group(3)));
            }
        }
        Resources resources = new Resources(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), scratch, local);
        return new KernelCode(new ControlFlow(lines), resources);
    }

    private static String body(String text, String kernel) {
        int entry = text.indexOf(".entry " + kernel + "(");
        int start = text.indexOf("\n{", entry), end = text.indexOf("\n}", start);
        if (entry < 0 || start < 0 || end < 0) {
            throw new AuditException("the PTX has no kernel " + kernel);
        }
        return text.substring(start + 2, end);
    }

    private static Instruction instruction(boolean conditional, String name, String operands) {
        String operation = name.split("\\.")[0];
        return switch (operation) {
            case "bra" -> Instruction.jump(name, operands.trim(), conditional);
            case "ret", "exit", "trap" -> Instruction.end(name, conditional);
            case "fma" -> {
                String[] operand = operands.split(",\\s*");
                yield Instruction.vector(name, 1, 1, List.of(new Sum(operand[0], operand[3])));
            }
            case "ld", "ldu", "st" -> Instruction.memory(name, memory(name), bytes(name));
            case "bar", "barrier", "membar", "fence", "atom", "red", "prefetch" -> Instruction.other(name);
            // Each write gives a value a new name; register allocation removes the copies.
            case "mov", "cvta" -> Instruction.nothing(name);
            case "call" -> throw new AuditException("the PTX calls an undefined function: " + operands);
            default -> Instruction.vector(name, 1, 0, List.of());
        };
    }

    private static Kind memory(String name) {
        boolean store = name.startsWith("st.");
        if (name.contains(".shared")) {
            return store ? Kind.LOCAL_STORE : Kind.LOCAL_LOAD;
        }
        if (name.contains(".local")) {
            return Kind.SCRATCH;
        }
        return name.contains(".param") || name.contains(".const") ? Kind.NOTHING : Kind.GLOBAL;
    }

    private static int bytes(String name) {
        Matcher type = TYPE.matcher(name);
        int lanes = name.contains(".v4.") ? 4 : name.contains(".v2.") ? 2 : 1;
        return type.find() ? lanes * Integer.parseInt(type.group(1)) / 8 : 0;
    }
}
