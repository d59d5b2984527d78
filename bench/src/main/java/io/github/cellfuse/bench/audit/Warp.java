package io.github.cellfuse.bench.audit;

import io.github.cellfuse.bench.audit.PtxStatement.Operation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Runs the PTX of a kernel for the first warp of a launch, to see which addresses its lanes ask for together. Addresses
 * don't depend on floating-point values, so each of those is zero, and each integer that is loaded is
 * {@link Launch#BATCH}. Not thread safe.
 *
 * <p>Lanes that take different branches wait for each other: the lanes that are furthest behind run first.
 */
final class Warp {
    static final int LANES = 32;

    /** A kernel that executes more operations hangs. */
    private static final int MOST_OPERATIONS = 500_000;

    private static final long[] ZEROS = new long[LANES];

    private static final Pattern ADDRESS = Pattern.compile("\\[([^]+]+)(?:\\+(-?\\d+))?]");
    private static final Pattern INTEGER = Pattern.compile("%r\\w+");
    private static final Pattern PARAMETER = Pattern.compile("\\[.*_param_(\\d+)]");

    private final List<PtxStatement> program;
    private final Launch launch;
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<String, long[]> registers = new HashMap<>();
    private final Map<Integer, List<Access>> accesses = new TreeMap<>();
    private final Map<Integer, Integer> times = new HashMap<>();
    /** The line that each lane executes next. */
    private final int[] next = new int[LANES];

    private Warp(List<PtxStatement> program, Launch launch) {
        this.program = program;
        this.launch = launch;
        for (int line = 0; line < program.size(); line++) {
            if (program.get(line) instanceof PtxStatement.Label label) {
                labels.put(label.name(), line);
            }
        }
    }

    /**
     * Runs a kernel to its end. The positions in the result are those of its {@link ControlFlow}.
     *
     * @param ptx of which the kernel is a part
     * @throws AuditException if the kernel has an operation or a parameter that isn't known here, or doesn't end
     */
    static Execution run(String ptx, KernelVariant variant) {
        try {
            return new Warp(Ptx.statements(ptx, variant.kernel()), Launch.of(variant)).run();
        } catch (AuditException e) {
            throw new AuditException(variant + ": a warp of its PTX can't be run: " + e.getMessage(), e);
        }
    }

    private Execution run() {
        for (int executed = 0; ; executed++) {
            int line = Arrays.stream(next).min().getAsInt();
            if (line >= program.size()) {
                return new Execution(times, new Requests(accesses));
            }
            if (executed == MOST_OPERATIONS) {
                throw new AuditException(
                        MOST_OPERATIONS + " operations don't end it, and the next is " + program.get(line));
            }
            BitSet active = new BitSet(LANES);
            for (int lane = 0; lane < LANES; lane++) {
                if (next[lane] == line) {
                    active.set(lane);
                    next[lane]++;
                }
            }
            if (program.get(line) instanceof Operation operation) {
                times.merge(line, 1, Integer::sum);
                keepGuarded(active, operation.guard());
                if (!active.isEmpty()) {
                    execute(operation, line, active);
                }
            }
        }
    }

    private void keepGuarded(BitSet active, String guard) {
        if (!guard.isEmpty()) {
            boolean negated = guard.startsWith("!");
            long[] holds = registers.getOrDefault(negated ? guard.substring(1) : guard, ZEROS);
            for (int lane = active.nextSetBit(0); lane >= 0; lane = active.nextSetBit(lane + 1)) {
                active.set(lane, (holds[lane] != 0) != negated);
            }
        }
    }

    private void execute(Operation operation, int line, BitSet active) {
        switch (operation.code()) {
            case "bra" -> jump(active, labels.get(operation.operands().get(0)));
            case "ret", "exit" -> jump(active, program.size());
            case "ld", "st" -> access(operation, line, active);
            case "bar", "membar", "fence", "red" -> {} // a warp alone waits for nobody
            case "atom" -> set(operation, active, lane -> 0);
            default -> {
                if (!operation.operands().get(0).startsWith("%f")) {
                    compute(operation, active);
                }
            }
        }
    }

    private void jump(BitSet active, int line) {
        active.stream().forEach(lane -> next[lane] = line);
    }

    private void access(Operation operation, int line, BitSet active) {
        String name = operation.name(), type = operation.type();
        boolean load = name.startsWith("ld.");
        String place = operation.operands().get(load ? 1 : 0);
        if (name.startsWith("ld.param.")) {
            Matcher parameter = PARAMETER.matcher(place);
            if (!parameter.matches()) {
                throw new AuditException("no parameter in " + operation);
            }
            long value = launch.argument(Integer.parseInt(parameter.group(1)), type.endsWith("64"));
            set(operation, active, lane -> value);
            return;
        }
        if (name.startsWith("ld.global.") || name.startsWith("st.global.")) {
            long[] from = addresses(operation, place);
            if (!active.isEmpty()) {
                long[] touched = active.stream().mapToLong(lane -> from[lane]).toArray();
                accesses.computeIfAbsent(line, first -> new ArrayList<>())
                        .add(Access.of(load, operation.bytes(), touched));
            }
        }
        if (load) {
            INTEGER.matcher(operation.operands().get(0))
                    .results()
                    .forEach(loaded -> set(loaded.group(), active, lane -> Launch.BATCH));
        }
    }

    /** Returns the address {@code [%rd1+16]} in each lane. */
    private long[] addresses(Operation operation, String place) {
        Matcher address = ADDRESS.matcher(place);
        if (!address.matches()) {
            throw new AuditException("no address in " + operation);
        }
        long offset = address.group(2) == null ? 0 : Long.parseLong(address.group(2));
        return Arrays.stream(values(address.group(1), "b64"))
                .map(from -> from + offset)
                .toArray();
    }

    private void compute(Operation operation, BitSet active) {
        List<String> operands = operation.operands();
        String type = operation.type();
        long[] a = values(operands.get(1), type);
        if (operation.code().equals("selp")) {
            long[] b = values(operands.get(2), type), which = values(operands.get(3), "pred");
            set(operation, active, lane -> which[lane] != 0 ? a[lane] : b[lane]);
            return;
        }
        long[] b = operands.size() > 2 ? values(operands.get(2), shifts(operation) ? "u32" : type) : ZEROS;
        String wide = operation.name().contains(".wide.") ? type.replace("32", "64") : type;
        long[] c = operands.size() > 3 ? values(operands.get(3), wide) : ZEROS;
        set(operation, active, lane -> IntegerMath.apply(operation, a[lane], b[lane], c[lane]));
    }

    private static boolean shifts(Operation operation) {
        return operation.code().equals("shl") || operation.code().equals("shr");
    }

    private void set(Operation operation, BitSet active, IntToLongFunction value) {
        set(operation.operands().get(0), active, value);
    }

    private void set(String register, BitSet active, IntToLongFunction value) {
        long[] result = registers.computeIfAbsent(register, name -> new long[LANES]);
        active.stream().forEach(lane -> result[lane] = value.applyAsLong(lane));
    }

    /** Returns an operand's value in each lane, as a number of {@code type}. */
    private long[] values(String operand, String type) {
        long[] raw;
        if (operand.startsWith("%f")) {
            return ZEROS;
        } else if (registers.containsKey(operand)) {
            raw = registers.get(operand);
        } else if (operand.startsWith("%")) {
            raw = special(operand);
        } else if (operand.matches("-?\\d+")) {
            raw = all(Long.parseLong(operand));
        } else if (operand.startsWith("0f")) {
            return ZEROS;
        } else {
            raw = all(0); // an array in local memory
        }
        long[] numbers = new long[LANES];
        Arrays.setAll(numbers, lane -> IntegerMath.as(type, raw[lane]));
        return numbers;
    }

    private long[] special(String name) {
        long[] lanes = new long[LANES];
        switch (name) {
            case "%tid.x" -> Arrays.setAll(lanes, lane -> lane % launch.units());
            case "%tid.y" -> Arrays.setAll(lanes, lane -> lane / launch.units());
            case "%ntid.x" -> Arrays.fill(lanes, launch.units());
            case "%ntid.y" -> Arrays.fill(lanes, launch.rows());
            case "%ntid.z" -> Arrays.fill(lanes, 1);
            case "%nctaid.x", "%nctaid.y" -> Arrays.fill(lanes, Launch.GROUPS);
            // libclc leaves the offset out of a global ID, so where the step is an offset, the group must make up for
            // it.
            case "%ctaid.z", "%envreg5" -> Arrays.fill(lanes, hasStepOffset() ? 1 : 0);
            case "%tid.z", "%ctaid.x", "%ctaid.y", "%envreg3", "%envreg4", "%clock", "%globaltimer" -> {}
            default -> throw new AuditException(name + " is read and has no value yet");
        }
        return lanes;
    }

    private boolean hasStepOffset() {
        return program.stream()
                .anyMatch(each -> each instanceof Operation operation
                        && operation.operands().contains("%envreg5"));
    }

    private static long[] all(long value) {
        long[] lanes = new long[LANES];
        Arrays.fill(lanes, value);
        return lanes;
    }
}
