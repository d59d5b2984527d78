package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.Instruction.Kind;
import io.github.cellfuse.bench.audit.Instruction.Sum;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.MatchResult;
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

    private static final Pattern OPERATION = Pattern.compile("(?:@(!?%\\w+)\\s+)?([a-z][\\w.:]*)\\s*(.*);");

    private static final Pattern OPERAND = Pattern.compile("\\{[^}]*}|\\[[^]]*]|\\([^)]*\\)|[^,\\s]+");

    private Ptx() {}

    static KernelCode parse(String text, String kernel) {
        List<Line> lines = new ArrayList<>();
        for (PtxStatement statement : statements(text, kernel)) {
            if (statement instanceof PtxStatement.Label label) {
                lines.add(new Line.Label(label.name()));
            } else if (statement instanceof PtxStatement.Operation operation) {
                lines.add(instruction(operation));
            }
        }
        int local = 0, scratch = 0;
        for (MatchResult array : ARRAY.matcher(body(text, kernel)).results().toList()) {
            int bytes = Integer.parseInt(array.group(2));
            local += array.group(1).equals("shared") ? bytes : 0;
            scratch += array.group(1).equals("local") ? bytes : 0;
        }
        Resources resources = new Resources(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), scratch, local);
        return new KernelCode(new ControlFlow(lines), resources);
    }

    /** Returns the labels and operations of {@code kernel}. */
    static List<PtxStatement> statements(String text, String kernel) {
        List<PtxStatement> statements = new ArrayList<>();
        for (String raw : body(text, kernel).split("\n")) {
            String line = raw.replaceFirst("//.*", "").trim();
            Matcher label = LABEL.matcher(line), operation = OPERATION.matcher(line);
            if (label.matches()) {
                statements.add(new PtxStatement.Label(label.group(1)));
            } else if (operation.matches()) {
                String guard = operation.group(1);
                statements.add(new PtxStatement.Operation(
                        guard == null ? "" : guard,
                        operation.group(2),
                        OPERAND.matcher(operation.group(3))
                                .results()
                                .map(MatchResult::group)
                                .toList()));
            }
        }
        return statements;
    }

    private static String body(String text, String kernel) {
        int entry = text.indexOf(".entry " + kernel + "(");
        int start = text.indexOf("\n{", entry), end = text.indexOf("\n}", start);
        if (entry < 0 || start < 0 || end < 0) {
            throw new AuditException("the PTX has no kernel " + kernel);
        }
        return text.substring(start + 2, end);
    }

    private static Instruction instruction(PtxStatement.Operation operation) {
        String name = operation.name();
        boolean conditional = !operation.guard().isEmpty();
        List<String> operands = operation.operands();
        return switch (operation.code()) {
            case "bra" -> Instruction.jump(name, operands.get(0), conditional);
            case "ret", "exit", "trap" -> Instruction.end(name, conditional);
            case "fma" -> Instruction.vector(name, 1, 1, List.of(new Sum(operands.get(0), operands.get(3))));
            case "ld", "ldu", "st" -> Instruction.memory(name, memory(name), operation.bytes());
            case "bar", "barrier", "membar", "fence", "atom", "red", "prefetch" -> Instruction.other(name);
            // Each write gives a value a new name; register allocation removes the copies.
            case "mov", "cvta" -> Instruction.nothing(name);
            case "call" ->
                throw new AuditException("the PTX calls an undefined function: " + String.join(", ", operands));
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
        if (name.contains(".param") || name.contains(".const")) {
            return Kind.NOTHING;
        }
        return store ? Kind.GLOBAL_STORE : Kind.GLOBAL_LOAD;
    }
}
