;; XBZRLE (xbzrle.md §2) for pages of 4096 bytes that lie in one memory with their deltas.
;; scripts/compile-wat.mjs makes xbzrle-kernel-code.ts of this file. xbzrle-encode.ts and xbzrle-decode.ts are the same
;; algorithms in TypeScript. Up to 16 bytes behind a delta or a page may be read, or written with what they hold.
(module
  (memory (import "qmpspec" "memory") 1)

  ;; One bit for each of the 64 bytes at $a and $b, set where they differ. Bit 0 stands for the first byte.
  (func $differences (param $a i32) (param $b i32) (result i64)
    (i64.xor
      (i64.const -1)
      (i64.or
        (i64.or
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.eq (v128.load (local.get $a)) (v128.load (local.get $b)))))
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b)))))
            (i64.const 16)))
        (i64.or
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b)))))
            (i64.const 32))
          (i64.shl
            (i64.extend_i32_u
              (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b)))))
            (i64.const 48))))))

  ;; Writes a run's length at $at; returns where it ends.
  (func $length (param $at i32) (param $value i32) (result i32)
    (if (i32.lt_u (local.get $value) (i32.const 128))
      (then
        (i32.store8 (local.get $at) (local.get $value))
        (return (i32.add (local.get $at) (i32.const 1)))))
    (i32.store16
      (local.get $at)
      (i32.or
        (i32.or (i32.and (local.get $value) (i32.const 127)) (i32.const 128))
        (i32.shl (i32.shr_u (local.get $value) (i32.const 7)) (i32.const 8))))
    (i32.add (local.get $at) (i32.const 2)))

  ;; Writes the delta from the page at $old to the page at $new to $out.
  ;; Returns the delta's length, 0 for equal pages, -1 for a delta of more than $limit bytes.
  (func (export "encode") (param $old i32) (param $new i32) (param $out i32) (param $limit i32) (result i32)
    (local $i i32)      ;; position in the page
    (local $at i32)     ;; where the next byte of the delta goes
    (local $last i32)   ;; highest $at at which a run may begin
    (local $end i32)    ;; behind the last byte that may be written
    (local $start i32)  ;; where the present run begins
    (local $from i32)   ;; copying: where in the new page
    (local $block i64)  ;; differences of the 64 bytes that hold position $i
    (local $bits i64)   ;; those from position $i on
    (local.set $at (local.get $out))
    (local.set $end (i32.add (local.get $out) (local.get $limit)))
    (local.set $last (i32.sub (local.get $end) (i32.const 2)))
    (local.set $block (call $differences (local.get $old) (local.get $new)))
    (loop $runs
      (if (i32.gt_s (local.get $at) (local.get $last)) (then (return (i32.const -1))))

      ;; Equal bytes.
      (local.set $start (local.get $i))
      (local.set $bits
        (i64.shr_u (local.get $block) (i64.extend_i32_u (i32.and (local.get $i) (i32.const 63)))))
      (block $differs
        (br_if $differs (i64.ne (local.get $bits) (i64.const 0)))
        (local.set $i (i32.and (i32.add (local.get $i) (i32.const 64)) (i32.const -64)))
        (loop $blocks
          (if (i32.eq (local.get $i) (i32.const 4096))
            (then
              (return (i32.sub (local.get $at) (local.get $out)))))
          (if
            (i32.eqz
              (v128.any_true
                (v128.or
                  (v128.or
                    (v128.xor
                      (v128.load (i32.add (local.get $old) (local.get $i)))
                      (v128.load (i32.add (local.get $new) (local.get $i))))
                    (v128.xor
                      (v128.load offset=16 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=16 (i32.add (local.get $new) (local.get $i)))))
                  (v128.or
                    (v128.xor
                      (v128.load offset=32 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=32 (i32.add (local.get $new) (local.get $i))))
                    (v128.xor
                      (v128.load offset=48 (i32.add (local.get $old) (local.get $i)))
                      (v128.load offset=48 (i32.add (local.get $new) (local.get $i))))))))
            (then
              (local.set $i (i32.add (local.get $i) (i32.const 64)))
              (br $blocks))))
        (local.set $block
          (call $differences
            (i32.add (local.get $old) (local.get $i))
            (i32.add (local.get $new) (local.get $i))))
        (local.set $bits (local.get $block)))
      (local.set $i (i32.add (local.get $i) (i32.wrap_i64 (i64.ctz (local.get $bits)))))
      (local.set $at (call $length (local.get $at) (i32.sub (local.get $i) (local.get $start))))
      (if (i32.gt_s (local.get $at) (local.get $last)) (then (return (i32.const -1))))

      ;; Different bytes.
      (local.set $start (local.get $i))
      (block $equals
        (loop $blocks
          (local.set $bits
            (i64.shr_u
              (i64.xor (local.get $block) (i64.const -1))
              (i64.extend_i32_u (i32.and (local.get $i) (i32.const 63)))))
          (br_if $equals (i64.ne (local.get $bits) (i64.const 0)))
          (local.set $i (i32.and (i32.add (local.get $i) (i32.const 64)) (i32.const -64)))
          (br_if $equals (i32.eq (local.get $i) (i32.const 4096)))
          (local.set $block
            (call $differences
              (i32.add (local.get $old) (local.get $i))
              (i32.add (local.get $new) (local.get $i))))
          (br $blocks)))
      (if (i64.ne (local.get $bits) (i64.const 0))
        (then (local.set $i (i32.add (local.get $i) (i32.wrap_i64 (i64.ctz (local.get $bits)))))))
      (local.set $at (call $length (local.get $at) (i32.sub (local.get $i) (local.get $start))))
      (local.set $from (i32.add (local.get $new) (local.get $start)))
      (local.set $start (i32.sub (local.get $i) (local.get $start)))
      (if (i32.gt_s (i32.add (local.get $at) (local.get $start)) (local.get $end)) (then (return (i32.const -1))))
      ;; $start is now the bytes left to copy, 16 at a time.
      (loop $copy
        (v128.store (local.get $at) (v128.load (local.get $from)))
        (if (i32.gt_u (local.get $start) (i32.const 16))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $start (i32.sub (local.get $start) (i32.const 16)))
            (br $copy))))
      (local.set $at (i32.add (local.get $at) (local.get $start)))
      (br_if $runs (i32.lt_u (local.get $i) (i32.const 4096))))
    (i32.sub (local.get $at) (local.get $out)))

  ;; Applies the $length bytes of the delta at $delta to the page at $page.
  ;; Returns the position behind the last changed byte, 0 for an empty delta, -1 for a malformed one.
  (func (export "decode") (param $delta i32) (param $length i32) (param $page i32) (result i32)
    (local $in i32)     ;; where the next byte of the delta is
    (local $end i32)    ;; where the delta ends
    (local $d i32)      ;; position in the page
    (local $run i32)
    (local $from i32)
    (local $to i32)
    (local.set $in (local.get $delta))
    (local.set $end (i32.add (local.get $delta) (local.get $length)))
    (block $done
      (loop $runs
        (br_if $done (i32.ge_u (local.get $in) (local.get $end)))

        ;; Bytes to keep: none only at the very beginning.
        (if (i32.lt_s (i32.sub (local.get $end) (local.get $in)) (i32.const 2)) (then (return (i32.const -1))))
        (local.set $run (i32.load8_u (local.get $in)))
        (if (i32.lt_u (local.get $run) (i32.const 128))
          (then
            (if (i32.eqz (local.get $run))
              (then (if (i32.ne (local.get $in) (local.get $delta)) (then (return (i32.const -1))))))
            (local.set $in (i32.add (local.get $in) (i32.const 1))))
          (else
            (if (i32.gt_u (i32.load8_u offset=1 (local.get $in)) (i32.const 127)) (then (return (i32.const -1))))
            (local.set $run
              (i32.or
                (i32.and (local.get $run) (i32.const 127))
                (i32.shl (i32.load8_u offset=1 (local.get $in)) (i32.const 7))))
            (if (i32.eqz (local.get $run))
              (then (if (i32.ne (local.get $in) (local.get $delta)) (then (return (i32.const -1))))))
            (local.set $in (i32.add (local.get $in) (i32.const 2)))))
        (local.set $d (i32.add (local.get $d) (local.get $run)))
        (if (i32.gt_u (local.get $d) (i32.const 4096)) (then (return (i32.const -1))))

        ;; Bytes to change: at least one.
        (if (i32.lt_s (i32.sub (local.get $end) (local.get $in)) (i32.const 2)) (then (return (i32.const -1))))
        (local.set $run (i32.load8_u (local.get $in)))
        (if (i32.lt_u (local.get $run) (i32.const 128))
          (then (local.set $in (i32.add (local.get $in) (i32.const 1))))
          (else
            (if (i32.gt_u (i32.load8_u offset=1 (local.get $in)) (i32.const 127)) (then (return (i32.const -1))))
            (local.set $run
              (i32.or
                (i32.and (local.get $run) (i32.const 127))
                (i32.shl (i32.load8_u offset=1 (local.get $in)) (i32.const 7))))
            (local.set $in (i32.add (local.get $in) (i32.const 2)))))
        (if (i32.eqz (local.get $run)) (then (return (i32.const -1))))
        (if (i32.gt_u (i32.add (local.get $d) (local.get $run)) (i32.const 4096)) (then (return (i32.const -1))))
        (if (i32.gt_s (local.get $run) (i32.sub (local.get $end) (local.get $in))) (then (return (i32.const -1))))
        (local.set $from (local.get $in))
        (local.set $to (i32.add (local.get $page) (local.get $d)))
        (local.set $in (i32.add (local.get $in) (local.get $run)))
        (local.set $d (i32.add (local.get $d) (local.get $run)))
        (block $copied
          (loop $copy
            (br_if $copied (i32.lt_u (local.get $run) (i32.const 16)))
            (v128.store (local.get $to) (v128.load (local.get $from)))
            (local.set $to (i32.add (local.get $to) (i32.const 16)))
            (local.set $from (i32.add (local.get $from) (i32.const 16)))
            (local.set $run (i32.sub (local.get $run) (i32.const 16)))
            (br $copy)))
        ;; The last bytes without a branch for each length: those behind the run are written as they are.
        (v128.store
          (local.get $to)
          (v128.bitselect
            (v128.load (local.get $from))
            (v128.load (local.get $to))
            (i8x16.lt_s
              (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
              (i8x16.splat (local.get $run)))))
        (br $runs)))
    (local.get $d))
)
