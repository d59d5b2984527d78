package io.github.cellfuse.bench.audit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/** The basic blocks of a kernel and the edges between them: compilers don't keep the blocks of a loop together. */
final class ControlFlow {
    /**
     * Some instructions of the listing. Immutable.
     *
     * @param instructions by position, the index of the line
     */
    record Part(SortedMap<Integer, Instruction> instructions) {
        Mix mix() {
            return new Mix(List.copyOf(instructions.values()));
        }
    }

    private final List<Line> lines;
    /** The positions of each block's instructions. */
    private final List<List<Integer>> blocks = new ArrayList<>();

    private final List<Set<Integer>> successors = new ArrayList<>();
    /** The blocks of each natural loop, by its header. */
    private final Map<Integer, Set<Integer>> loops = new TreeMap<>();

    ControlFlow(List<Line> lines) {
        this.lines = List.copyOf(lines);
        Map<String, Integer> labels = new HashMap<>();
        split(labels);
        for (int block = 0; block < blocks.size(); block++) {
            successors.add(successors(block, labels));
        }
        findLoops();
    }

    private void split(Map<String, Integer> labels) {
        List<Integer> block = newBlock();
        for (int position = 0; position < lines.size(); position++) {
            if (lines.get(position) instanceof Line.Label label) {
                block = block.isEmpty() ? block : newBlock();
                labels.put(label.name(), blocks.size() - 1);
            } else if (lines.get(position) instanceof Instruction instruction) {
                block.add(position);
                if (instruction.jump().isPresent() || !instruction.fallsThrough()) {
                    block = newBlock();
                }
            }
        }
    }

    private List<Integer> newBlock() {
        blocks.add(new ArrayList<>());
        return blocks.get(blocks.size() - 1);
    }

    private Set<Integer> successors(int block, Map<String, Integer> labels) {
        Set<Integer> next = new TreeSet<>();
        List<Instruction> instructions = instructions(blocks.get(block));
        Instruction last = instructions.isEmpty() ? null : instructions.get(instructions.size() - 1);
        if (last != null && last.jump().isPresent()) {
            Integer target = labels.get(last.jump().get());
            if (target == null) {
                throw new AuditException(
                        "the listing has no label " + last.jump().get() + ", to which it jumps");
            }
            next.add(target);
        }
        if ((last == null || last.fallsThrough()) && block + 1 < blocks.size()) {
            next.add(block + 1);
        }
        return next;
    }

    /**
     * Finds the natural loops. A back edge leads to a block that is being visited, the header; its loop is every block
     * that reaches the edge without passing the header.
     */
    private void findLoops() {
        List<List<Integer>> predecessors = new ArrayList<>();
        blocks.forEach(block -> predecessors.add(new ArrayList<>()));
        for (int block = 0; block < blocks.size(); block++) {
            for (int next : successors.get(block)) {
                predecessors.get(next).add(block);
            }
        }
        visit(0, new HashSet<>(), new HashSet<>(), predecessors);
    }

    private void visit(int block, Set<Integer> open, Set<Integer> done, List<List<Integer>> predecessors) {
        open.add(block);
        for (int next : successors.get(block)) {
            if (open.contains(next)) {
                addLoop(next, block, predecessors);
            } else if (!done.contains(next)) {
                visit(next, open, done, predecessors);
            }
        }
        open.remove(block);
        done.add(block);
    }

    private void addLoop(int header, int last, List<List<Integer>> predecessors) {
        Set<Integer> body = loops.computeIfAbsent(header, block -> new TreeSet<>(Set.of(block)));
        Deque<Integer> pending = new ArrayDeque<>(List.of(last));
        while (!pending.isEmpty()) {
            int block = pending.pop();
            if (body.add(block)) {
                pending.addAll(predecessors.get(block));
            }
        }
    }

    /** Returns the innermost loop with the most multiply-adds; empty if no loop has any. */
    Optional<Part> innerLoop() {
        return innerHeader().map(header -> part(positions(loops.get(header))));
    }

    /** Returns what the smallest loop around {@link #innerLoop} has besides it; empty if there is none. */
    Optional<Part> aroundInnerLoop() {
        return innerHeader()
                .flatMap(inner -> loops.entrySet().stream()
                        .filter(loop ->
                                !loop.getKey().equals(inner) && loop.getValue().contains(inner))
                        .map(Map.Entry::getValue)
                        .min(Comparator.comparingInt(Set::size))
                        .map(blocks -> {
                            List<Integer> positions = positions(blocks);
                            positions.removeAll(Set.copyOf(positions(loops.get(inner))));
                            return part(positions);
                        }));
    }

    private Optional<Integer> innerHeader() {
        return loops.entrySet().stream()
                .filter(loop -> loops.keySet().stream()
                        .noneMatch(header ->
                                header != (int) loop.getKey() && loop.getValue().contains(header)))
                .map(Map.Entry::getKey)
                .filter(header -> loopFmas(header) > 0)
                // the first of equals, which max doesn't guarantee
                .reduce((a, b) -> loopFmas(b) > loopFmas(a) ? b : a);
    }

    private int loopFmas(int header) {
        return sum(instructions(positions(loops.get(header))), Instruction::fmas);
    }

    /** Returns the whole kernel. */
    Part all() {
        return part(blocks.stream().flatMap(List::stream).toList());
    }

    /** Returns the path from the entry to an end, outside of all loops, whose sum of {@code weight} is the largest. */
    List<Instruction> heaviestPath(ToIntFunction<Instruction> weight) {
        return heaviestPath(0, weight, new HashMap<>());
    }

    private List<Instruction> heaviestPath(
            int block, ToIntFunction<Instruction> weight, Map<Integer, List<Instruction>> known) {
        List<Instruction> path = known.get(block);
        if (path == null) {
            path = new ArrayList<>(instructions(blocks.get(block)));
            successors.get(block).stream()
                    .filter(next -> loops.values().stream().noneMatch(loop -> loop.contains(next)))
                    .map(next -> heaviestPath(next, weight, known))
                    .max(Comparator.comparingInt(rest -> sum(rest, weight)))
                    .ifPresent(path::addAll);
            known.put(block, path);
        }
        return path;
    }

    private List<Integer> positions(Set<Integer> ofBlocks) {
        return ofBlocks.stream()
                .flatMap(block -> blocks.get(block).stream())
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private Part part(List<Integer> positions) {
        SortedMap<Integer, Instruction> instructions = new TreeMap<>();
        positions.forEach(position -> instructions.put(position, (Instruction) lines.get(position)));
        return new Part(instructions);
    }

    private List<Instruction> instructions(List<Integer> positions) {
        return positions.stream()
                .map(position -> (Instruction) lines.get(position))
                .toList();
    }

    private static int sum(List<Instruction> instructions, ToIntFunction<Instruction> of) {
        return instructions.stream().mapToInt(of).sum();
    }
}
