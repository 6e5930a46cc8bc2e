//! Cycles of entities, and an order in which their tables can be made. No recursion and no step
//! that grows faster than the references: a spec may have many thousand entities.

use std::collections::BTreeSet;

/// Who points at whom: for each entity the places of others, itself perhaps among them.
pub type Edges = Vec<Vec<usize>>;

/// Cycles such that without them there would be none; each begins with its first entity.
pub fn cycles(edges: &Edges) -> Vec<Vec<usize>> {
    let mut waits_for: Vec<usize> = edges.iter().map(Vec::len).collect();
    let pointed_from = reversed(edges);
    let mut ready: Vec<usize> = (0..edges.len()).filter(|&node| waits_for[node] == 0).collect();
    let mut is_done = vec![false; edges.len()];
    let mut cycles = Vec::new();
    let mut next = 0;
    loop {
        while let Some(node) = ready.pop() {
            if std::mem::replace(&mut is_done[node], true) {
                continue;
            }
            for &from in &pointed_from[node] {
                waits_for[from] = waits_for[from].saturating_sub(1);
                if waits_for[from] == 0 {
                    ready.push(from);
                }
            }
        }
        while is_done.get(next) == Some(&true) {
            next += 1;
        }
        if next == edges.len() {
            return cycles;
        }
        let cycle = walk(next, edges, &is_done);
        ready.extend(&cycle);
        cycles.push(cycle);
    }
}

/// Follows the first open reference of each entity until one comes up again. Each of them has one,
/// or it would be done.
fn walk(start: usize, edges: &Edges, is_done: &[bool]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut seen = std::collections::HashMap::new();
    let mut node = start;
    loop {
        if let Some(&place) = seen.get(&node) {
            let mut cycle: Vec<usize> = path.split_off(place);
            let first = (0..cycle.len()).min_by_key(|&place| cycle[place]).unwrap_or(0);
            cycle.rotate_left(first);
            return cycle;
        }
        seen.insert(node, path.len());
        path.push(node);
        match edges[node].iter().find(|&&to| !is_done[to]) {
            Some(&to) => node = to,
            None => return path,
        }
    }
}

/// An order in which each entity comes after those it has to point at, and after those it may
/// point at where that is possible; else as in the file.
pub fn creation_order(required: &Edges, all: &Edges) -> Vec<usize> {
    let mut waits = [waits(required), waits(all)];
    let from = [reversed(required), reversed(all)];
    // Those that wait for nothing, and those that wait only for what they may do without.
    let mut ready: [BTreeSet<usize>; 2] =
        [0, 1].map(|kind| (0..all.len()).filter(|&node| waits[kind][node] == 0).collect());
    let mut open: BTreeSet<usize> = (0..all.len()).collect();
    let mut order = Vec::with_capacity(all.len());
    while let Some(&first) = open.first() {
        let node = ready[1].first().or(ready[0].first()).copied().unwrap_or(first);
        open.remove(&node);
        order.push(node);
        for kind in [0, 1] {
            ready[kind].remove(&node);
            for &other in &from[kind][node] {
                waits[kind][other] = waits[kind][other].saturating_sub(1);
                if waits[kind][other] == 0 && open.contains(&other) {
                    ready[kind].insert(other);
                }
            }
        }
    }
    order
}

fn waits(edges: &Edges) -> Vec<usize> {
    let others = |(node, targets): (usize, &Vec<usize>)| {
        targets.iter().filter(|&&target| target != node).count()
    };
    edges.iter().enumerate().map(others).collect()
}

fn reversed(edges: &Edges) -> Edges {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (node, targets) in edges.iter().enumerate() {
        for &target in targets {
            reversed[target].push(node);
        }
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)], count: usize) -> Edges {
        let mut edges = vec![Vec::new(); count];
        for &(from, to) in pairs {
            edges[from].push(to);
        }
        edges
    }

    #[test]
    fn a_chain_has_no_cycle() {
        assert_eq!(cycles(&edges(&[(0, 1), (1, 2), (0, 2)], 3)), Vec::<Vec<usize>>::new());
    }

    #[test]
    fn every_cycle_is_found() {
        let pairs = [(0, 1), (1, 2), (2, 1), (3, 3), (4, 0)];
        assert_eq!(cycles(&edges(&pairs, 5)), [vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_long_chain_is_no_deep_call() {
        let count = 100_000;
        let pairs: Vec<_> = (1..count).map(|node| (node - 1, node)).collect();
        let chain = edges(&pairs, count);
        assert!(cycles(&chain).is_empty());
        let order = creation_order(&chain, &chain);
        assert!(order.iter().rev().copied().eq(0..count));
    }

    #[test]
    fn targets_are_made_first_and_else_the_file_decides() {
        let all = edges(&[(0, 2), (1, 1)], 3);
        assert_eq!(creation_order(&all, &all), [1, 2, 0]);
    }

    #[test]
    fn an_optional_reference_gives_way() {
        let required = edges(&[(0, 1)], 2);
        let all = edges(&[(0, 1), (1, 0)], 2);
        assert_eq!(creation_order(&required, &all), [1, 0]);
    }
}
