package io.github.cellfuse.onnx;

import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.format.file.Problems;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Takes a graph for a model when it is a single chain of LSTMs, and all else in it leads the graph's inputs to it and its outputs to the
 * graph's.
 */
final class OnnxLstmReader {
    /** They choose parts of the states that an input holds for several layers. */
    private static final Set<String> CHOOSING = Set.of("Slice", "Split", "Gather");

    private final OnnxFile file;
    private final GraphIndex graph;
    private final Constants constants;
    private final LstmChains chains;

    OnnxLstmReader(OnnxFile file) {
        this.file = file;
        graph = new GraphIndex(file.path(), file.graph());
        constants = file.foldedConstants();
        chains = LstmChains.of(file.path(), file.graph(), file.opset(), constants, file.tensors());
    }

    LstmModel model() {
        for (OnnxNode node : chains.others()) {
            if (node.is("LSTM")) {
                throw node.invalid("expected constant weights, found that "
                        + LstmNode.variableWeight(node, constants)
                                .map(Problems::quote)
                                .orElse("one") + " is computed");
            }
        }
        List<LstmChain> all = chains.chains();
        if (all.isEmpty()) {
            throw invalid("found none"
                    + chains.others().stream()
                            .findFirst()
                            .map(n -> "; there is " + n)
                            .orElse(""));
        }
        if (all.size() > 1) {
            throw invalid("found " + all.size() + " that aren't one stack: "
                    + all.get(0).last() + " and " + all.get(1).first());
        }
        LstmChain chain = all.get(0);
        traceInputs(chain);
        graph.outputs().forEach(output -> traceOutput(chain, output));
        return chain.model();
    }

    private void traceInputs(LstmChain chain) {
        LstmNode first = chain.first();
        trace(first.x(), false).ifPresent(node -> {
            throw beside(node);
        });
        for (LstmNode lstm : chain.nodes()) {
            lstm.sequenceLens().flatMap(name -> trace(name, false)).ifPresent(node -> {
                throw beside(node);
            });
            Stream.of(lstm.initialH(), lstm.initialC())
                    .flatMap(Optional::stream)
                    .forEach(name -> trace(name, true).ifPresent(node -> {
                        throw beside(node);
                    }));
        }
    }

    /** Returns the first node that isn't plumbing on the way back from {@code name} to an input of the graph. */
    private Optional<OnnxNode> trace(String name, boolean isState) {
        String at = name;
        while (true) {
            if (constants.find(at).isPresent() && !graph.isInput(at)) {
                throw invalid("found that " + Problems.quote(name) + " is a constant");
            }
            Optional<OnnxNode> producer = graph.producer(at);
            if (producer.isEmpty()) {
                return producer;
            }
            OnnxNode node = producer.get();
            boolean isWay = Plumbing.isPlumbing(node)
                    || isState
                            && CHOOSING.contains(node.proto().getOpType())
                            && OnnxNode.isDefaultDomain(node.proto().getDomain());
            if (!isWay || node.input(0).isEmpty()) {
                return producer;
            }
            at = node.input(0).get();
        }
    }

    /** Back from an output of the graph to outputs of the LSTMs. */
    private void traceOutput(LstmChain chain, String output) {
        Set<String> states = new HashSet<>();
        for (LstmNode lstm : chain.nodes()) {
            lstm.yH().ifPresent(states::add);
            lstm.yC().ifPresent(states::add);
        }
        Deque<String> open = new ArrayDeque<>(List.of(output));
        Set<String> seen = new HashSet<>();
        boolean isJoined = false;
        while (!open.isEmpty()) {
            String name = open.remove();
            boolean isY = chain.last().y().equals(Optional.of(name));
            if (states.contains(name) || isY && !isJoined || !seen.add(name)) {
                continue;
            }
            OnnxNode node = graph.producer(name)
                    .orElseThrow(() -> invalid(
                            "found that the output " + Problems.quote(output) + " comes from " + Problems.quote(name)));
            if (node.is("Concat")) {
                isJoined = true;
                open.addAll(node.proto().getInputList());
            } else if (Plumbing.isPlumbing(node) && node.input(0).isPresent()) {
                open.add(node.input(0).get());
            } else {
                throw beside(node);
            }
        }
    }

    private InvalidInputException beside(OnnxNode node) {
        return invalid("found " + node + " beside them; whole graphs are for 'run' and 'info', and for OnnxModel");
    }

    private InvalidInputException invalid(String found) {
        return Problems.invalid(file.path(), "expected LSTMs one on another and nothing else, " + found);
    }
}
